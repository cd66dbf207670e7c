import type { Broker } from '../ports/broker/broker.ts'
import type { Ports } from '../ports/ports.ts'
import type { Telemetry } from '../ports/telemetry.ts'
import type { TokenService } from '../ports/token-service.ts'
import type { AccessOptions, Caller } from './caller.ts'

/** What the routes find in their context. */
export interface RestEnv {
  readonly Variables: {
    readonly requestId: string
    readonly caller: Caller
  }
}

export interface RestOptions extends Omit<AccessOptions, 'clock'> {
  readonly brokers: readonly Broker[]
  readonly ports: Pick<Ports, 'states' | 'clock'> & { readonly telemetry: Pick<Telemetry, 'info' | 'error'> }
  /** The IANA zone of times that belong to no account. */
  readonly timeZone: string
  /** Does the work, in this process or in the brokers' functions. */
  readonly tokens: TokenService
}
