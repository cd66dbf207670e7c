import { randomBytes } from 'node:crypto'
import { BROKER_IDS } from '../../brokers/index.ts'
import { enabledBrokers, parseConfig } from '../../config.ts'
import { isLoopback } from '../../http/allowed-origin.ts'
import { consoleNotifier } from '../../local/console-notifier.ts'
import { openDatabase } from '../../local/database.ts'
import type { ServedBroker } from '../../local/local-service.ts'
import { sqliteStateStore } from '../../local/sqlite-state-store.ts'
import { sqliteTokenVault } from '../../local/sqlite-token-vault.ts'
import { parseSchedule, runExpressions } from '../../markets/schedule.ts'
import { parseAccountId } from '../../model/account-id.ts'
import { changed } from '../../model/account-state.ts'
import type { SecretName } from '../../model/secrets/secret-name.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { LoginService } from '../../ports/login-service.ts'
import type { Notifier } from '../../ports/notifier.ts'
import type { Ports } from '../../ports/ports.ts'
import { storedValue } from '../../ports/token-vault.ts'
import type { DemoAccount } from '../../simulators/demo/demo-accounts.ts'
import { DemoClock } from '../../simulators/demo/demo-clock.ts'
import { DemoStory, demoStart } from '../../simulators/demo/demo-story.ts'
import { startDemoWorld } from '../../simulators/demo/demo-world.ts'
import { loginLinks } from '../../site/login-links.ts'
import { ensureSigningKey, type SigningKeys, storedSigningKeys } from '../../site/signing-keys.ts'
import { webhookPath } from '../../site/webhook-path.ts'
import { systemClock } from '../../system-clock.ts'
import { loginService } from '../../tokens/login/login-service.ts'
import { edit, register } from '../accounts/registration.ts'
import type { Composition } from '../backend/composition.ts'
import { type EndedLogin, tellingLoginService } from './ended-logins.ts'

/** What is served: the real accounts, or the simulated world for somebody who has none yet. */
export interface ServedWorld {
  readonly simulated: boolean
  readonly ports: Ports
  readonly brokers: readonly ServedBroker[]
  readonly logins: LoginService
  readonly keys: SigningKeys
  /** The site's address, for links and callbacks. */
  readonly siteUrl: string
  /** Whether its pages open without a signed link, since this machine alone can reach them. */
  readonly open: boolean
  /** Milliseconds of real time between two looks at the clock. */
  readonly tickMs: number
  readonly around?: (run: () => Promise<void>) => Promise<void>
  /** To be called when every account was looked at once. */
  begun(): void
  /** To be called when somebody looks at a login page. */
  visited(): void
  /** Whether the clock waits for somebody who is there. */
  isHeld(): boolean
  tick(): Promise<void>
  /** What else there is to open, by what it is. */
  readonly addresses: Readonly<Record<string, string>>
  close(): Promise<void>
}

const REAL_TICK_MS = 500
/** A quarter of a simulated minute at the usual speed. */
const DEMO_TICK_MS = 50

/** The address of a tunnel or a proxy in front of `serve`, if the configuration names one. */
export function publicUrl({ site }: Composition['config']): URL | undefined {
  const url = site.url === undefined ? undefined : new URL(site.url)
  return url && !isLoopback(url.hostname) ? url : undefined
}

/** The accounts of this home, with links to the login page in their alerts. Throws TokenVaultError. */
export async function realWorld(
  composition: Composition,
  served: string,
  loginEnded: (ended: EndedLogin) => void,
): Promise<ServedWorld> {
  const { brokers, config } = composition
  const outside = publicUrl(config)
  const siteUrl = outside?.origin ?? served
  const { keys, ports } = await withLinks(composition.ports, siteUrl)
  return {
    simulated: false,
    ports,
    brokers: brokers.map(servedBroker),
    logins: tellingLoginService(composition.logins, ports.states, loginEnded),
    keys,
    siteUrl,
    open: outside === undefined,
    tickMs: REAL_TICK_MS,
    begun: () => undefined,
    visited: () => undefined,
    isHeld: () => false,
    tick: async () => undefined,
    addresses: {},
    close: async () => undefined,
  }
}

export interface ServedDemoOptions {
  /** Where it will be served. */
  readonly siteUrl: string
  /** Simulated minutes in one second. */
  readonly minutesPerSecond: number
  readonly alert: (text: string) => void
  readonly tell: (sentence: string) => void
  readonly loginEnded: (ended: EndedLogin) => void
}

/** The simulated world with all its accounts set up, in memory: nothing of it is left afterwards. */
export async function demoWorld(real: Composition, options: ServedDemoOptions): Promise<ServedWorld> {
  const { siteUrl, minutesPerSecond, alert, tell, loginEnded } = options
  const clock = new DemoClock(demoStart(real.ports.clock.now()), minutesPerSecond * 60, systemClock)
  // Its morning begins minutes before yesterday's tokens die, and a busy machine must not sleep through that.
  const { promise: firstLook, resolve: begun } = Promise.withResolvers<void>()
  void clock.during(() => firstLook)
  const world = await startDemoWorld({ clock, siteUrl })
  const database = openDatabase(':memory:')
  const { keys, ports } = await withLinks(
    {
      ...real.ports,
      clock,
      hosts: world.hosts,
      vault: sqliteTokenVault(database, randomBytes(32), clock),
      states: sqliteStateStore(database),
      notifier: briefNotifier(
        consoleNotifier((text) => alert(text.trimEnd())),
        tell,
      ),
      // Its tokens open nothing: no program is to find them where the real ones are.
      subscribers: [],
    },
    siteUrl,
  )
  for (const account of world.accounts) await setUp(account, ports)
  world.notified.at(`${siteUrl}${await webhookPath(keys, parseAccountId(world.notified.account))}`)
  // All brokers by their own settings, whatever is configured for real.
  const brokers = enabledBrokers(
    parseConfig({ brokers: Object.fromEntries(BROKER_IDS.map((id) => [id, {}])) }),
  )
  const adapters = brokers.map(({ broker }) => broker)
  const logins = tellingLoginService(loginService({ brokers: adapters, ports }), ports.states, loginEnded)
  const story = new DemoStory({ world, brokers: adapters, ports, logins, clock, real: systemClock, tell })
  return {
    simulated: true,
    ports,
    brokers: brokers.map(servedBroker),
    logins,
    keys,
    siteUrl,
    open: true,
    tickMs: DEMO_TICK_MS,
    around: (run) => clock.during(run),
    begun,
    visited: () => story.visited(),
    isHeld: () => clock.held,
    tick: () => story.tick(),
    addresses: { "Asha's telephone": world.phone },
    async close() {
      database.close()
      await world.close()
    },
  }
}

/** Whoever watches wants to see what such a message looks like, once; of the others the subject will do. */
function briefNotifier(whole: Notifier, tell: (sentence: string) => void): Notifier {
  let shown = false
  return {
    async notify(alert) {
      if (shown) return tell(`Message: ${alert.title}`)
      shown = true
      await whole.notify(alert)
    },
  }
}

async function withLinks(
  ports: Ports,
  siteUrl: string,
): Promise<{ readonly ports: Ports; readonly keys: SigningKeys }> {
  const { vault, clock } = ports
  await ensureSigningKey(vault)
  const keys = storedSigningKeys(vault, clock)
  return { keys, ports: { ...ports, links: loginLinks({ keys, siteUrl, clock }) } }
}

async function setUp({ id, secrets, settings, user }: DemoAccount, { states, vault }: Ports): Promise<void> {
  const account = parseAccountId(id)
  await register(states, account, { settings, forgetUser: false })
  if (user) await edit(states, account, (state) => state && changed(state, user))
  for (const [key, value] of Object.entries(secrets)) {
    const name = key as SecretName
    await vault.write(account, name, storedValue(name, value))
  }
}

function servedBroker({ broker }: { readonly broker: Broker }): ServedBroker {
  const { timeZone } = broker.schedule
  const schedules = runExpressions(broker).map((expression) => parseSchedule(expression, timeZone))
  return { broker, schedules }
}
