import type { Clock } from './clock.ts'
import type { Http } from './http.ts'
import type { LoginLinks } from './login-links.ts'
import type { Notifier } from './notifier.ts'
import type { StateStore } from './state-store.ts'
import type { Subscriber } from './subscriber.ts'
import type { Telemetry } from './telemetry.ts'
import type { TokenVault } from './token-vault.ts'

/**
 * Everything the domain needs from outside. Each surface (functions, command line) fills it in at one place.
 */
export interface Ports {
  readonly vault: TokenVault
  readonly states: StateStore
  readonly notifier: Notifier
  readonly telemetry: Telemetry
  readonly http: Http
  readonly clock: Clock
  /** The receivers of each published token. @default - none */
  readonly subscribers?: readonly Subscriber[]
  /** Makes links to the login page for messages. @default - messages have no link */
  readonly links?: LoginLinks
  /** Overrides of broker hosts: origin by host name. */
  readonly hosts: Readonly<Record<string, string>>
  /** Hosts that may be called over plain http. @default - loopback only */
  readonly allowHttpHosts?: readonly string[]
}
