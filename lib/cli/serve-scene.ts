import { randomBytes } from 'node:crypto'
import { BROKER_IDS } from '../brokers/index.ts'
import { type BrokerConfig, enabledBrokers, parseConfig } from '../config.ts'
import { consoleNotifier } from '../local/console-notifier.ts'
import { openDatabase } from '../local/database.ts'
import type { ServedBroker } from '../local/local-service.ts'
import { sqliteStateStore } from '../local/sqlite-state-store.ts'
import { sqliteTokenVault } from '../local/sqlite-token-vault.ts'
import type { Broker } from '../ports/broker.ts'
import type { Ports } from '../ports/ports.ts'
import { type SecretName, storedValue } from '../ports/token-vault.ts'
import { parseSchedule } from '../schedule.ts'
import { DemoClock } from '../simulators/demo-clock.ts'
import { DemoStory, demoStart } from '../simulators/demo-story.ts'
import { startDemoWorld } from '../simulators/demo-world.ts'
import { systemClock } from '../system-clock.ts'
import { parseAccountId } from '../tokens/account-id.ts'
import type { Composition, EnabledBroker } from './composition.ts'
import { register } from './registration.ts'

/** What is served: the real accounts, or the simulated world for somebody who has none yet. */
export interface Scene {
  readonly simulated: boolean
  readonly ports: Ports
  readonly brokers: readonly ServedBroker[]
  /** Milliseconds of real time between two looks at the clock. */
  readonly tickMs: number
  readonly around?: (run: () => Promise<void>) => Promise<void>
  tick(): Promise<void>
  close(): Promise<void>
}

const REAL_TICK_MS = 500
/** A quarter of a simulated minute at the usual speed. */
const DEMO_TICK_MS = 50

export function realScene({ ports, brokers }: Composition): Scene {
  return {
    simulated: false,
    ports,
    brokers: brokers.map(served),
    tickMs: REAL_TICK_MS,
    tick: async () => undefined,
    close: async () => undefined,
  }
}

export interface DemoSceneOptions {
  /** Simulated minutes in one second. */
  readonly minutesPerSecond: number
  readonly alert: (text: string) => void
  readonly tell: (sentence: string) => void
}

/** The simulated world with all its accounts set up, in memory: nothing of it is left afterwards. */
export async function demoScene(real: Composition, options: DemoSceneOptions): Promise<Scene> {
  const clock = new DemoClock(demoStart(real.ports.clock.now()), options.minutesPerSecond * 60, systemClock)
  const world = await startDemoWorld({ clock })
  const database = openDatabase(':memory:')
  const ports: Ports = {
    ...real.ports,
    clock,
    hosts: world.hosts,
    vault: sqliteTokenVault(database, randomBytes(32), clock),
    states: sqliteStateStore(database),
    notifier: consoleNotifier((text) => options.alert(text.trimEnd())),
  }
  for (const { id, secrets, settings } of world.accounts) {
    const account = parseAccountId(id)
    await register(ports.states, account, { settings, forgetUser: false })
    for (const [key, value] of Object.entries(secrets)) {
      const name = key as SecretName
      await ports.vault.write(account, name, storedValue(name, value))
    }
  }
  const story = new DemoStory(world, ports, options.tell)
  return {
    simulated: true,
    ports,
    // All brokers by their own settings, whatever is configured for real.
    brokers: enabledBrokers(
      parseConfig({ brokers: Object.fromEntries(BROKER_IDS.map((id) => [id, {}])) }),
    ).map(served),
    tickMs: DEMO_TICK_MS,
    around: (run) => clock.during(run),
    tick: () => story.tick(),
    async close() {
      database.close()
      await world.close()
    },
  }
}

function served({
  broker,
  settings,
}: EnabledBroker | { broker: Broker; settings: BrokerConfig }): ServedBroker {
  const schedules = settings.schedules.map((expression) => parseSchedule(expression, settings.timeZone))
  return { broker, schedules }
}
