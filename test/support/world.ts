import { randomBytes } from 'node:crypto'
import { Temporal } from 'temporal-polyfill'
import { undiciHttp } from '../../lib/http/undici-http.ts'
import { openDatabase } from '../../lib/local/database.ts'
import { sqliteStateStore } from '../../lib/local/sqlite-state-store.ts'
import { sqliteTokenVault } from '../../lib/local/sqlite-token-vault.ts'
import { type AccountId, parseAccountId } from '../../lib/model/account-id.ts'
import type { AccountState, ReportedToken, StateChanges } from '../../lib/model/account-state.ts'
import { type AccountSettings, changed, newAccountState } from '../../lib/model/account-state.ts'
import type { AccountResult } from '../../lib/model/outcome.ts'
import type { SecretName } from '../../lib/model/secrets/secret-name.ts'
import type { Broker } from '../../lib/ports/broker/broker.ts'
import type { Alert, Notifier } from '../../lib/ports/notifier.ts'
import type { Ports } from '../../lib/ports/ports.ts'
import type { Fields, Telemetry } from '../../lib/ports/telemetry.ts'
import { storedValue } from '../../lib/ports/token-vault.ts'
import type { Simulator } from '../../lib/simulators/kit/simulator.ts'
import { type SimulatorServer, startSimulator } from '../../lib/simulators/kit/simulator-server.ts'
import { VirtualClock } from '../../lib/simulators/kit/virtual-clock.ts'
import { type Run, runBroker } from '../../lib/tokens/refresh/run.ts'
import { type CallFault, type FailingCall, type PortCall, withFault } from './faults.ts'

export interface LogLine {
  readonly level: 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: Fields
}

/** The embedded adapters on a store of their own, a virtual clock, and everything said or sent kept for the test. */
export class World {
  readonly clock: VirtualClock
  readonly database = openDatabase(':memory:')
  readonly alerts: Alert[] = []
  readonly logs: LogLine[] = []
  readonly counts = new Map<string, number>()
  ports: Ports
  readonly #servers: SimulatorServer[] = []
  readonly #http = undiciHttp()
  #runs = 0

  constructor(start = '2026-11-23T07:00:00+05:30') {
    this.clock = new VirtualClock(start)
    const notifier: Notifier = { notify: async (alert) => void this.alerts.push(alert) }
    this.ports = {
      vault: sqliteTokenVault(this.database, randomBytes(32), this.clock),
      states: sqliteStateStore(this.database),
      notifier,
      telemetry: this.#telemetry(),
      http: this.#http,
      clock: this.clock,
      hosts: {},
    }
  }

  /** Serves a simulator and points the brokers' hosts at it. */
  async serve(simulator: Simulator): Promise<SimulatorServer> {
    const server = await startSimulator(simulator, { clock: this.clock })
    this.#servers.push(server)
    this.ports = { ...this.ports, hosts: { ...this.ports.hosts, ...server.hosts } }
    return server
  }

  /** Stores secrets of an account and registers it. */
  async account(
    id: string,
    secrets: Partial<Record<SecretName, string>>,
    settings: AccountSettings = {},
  ): Promise<AccountId> {
    const account = parseAccountId(id)
    await this.store(account, secrets)
    await this.ports.states.replace(changed(newAccountState(account, settings), {}))
    return account
  }

  async store(account: AccountId, secrets: Partial<Record<SecretName, string>>): Promise<void> {
    for (const [name, value] of Object.entries(secrets)) {
      await this.ports.vault.write(account, name as SecretName, storedValue(name as SecretName, value))
    }
  }

  /** What is on record of a registered account. */
  async record(account: AccountId): Promise<AccountState> {
    const state = await this.ports.states.get(account)
    if (!state) throw new Error(`${account} is not registered`)
    return state
  }

  /** Puts these changes on record, as another writer would. */
  async change(account: AccountId, changes: StateChanges): Promise<void> {
    const { written } = await this.ports.states.replace(changed(await this.record(account), changes))
    if (!written) throw new Error(`another writer changed ${account} at the same moment`)
  }

  async stored(account: AccountId, name: SecretName): Promise<string | undefined> {
    return (await this.ports.vault.read(account, [name])).get(name)?.value.reveal()
  }

  /** From now on this call at a port fails once, or as the fault says. */
  failNext<Call extends PortCall>(call: Call, fault: CallFault<Call> = {}): FailingCall {
    const { ports, failing } = withFault(this.ports, call, fault)
    this.ports = ports
    return failing
  }

  /** One run over the broker's accounts, as an invocation with `seconds` to live would make it. */
  async run(
    broker: Broker,
    options: {
      accounts?: AccountId[]
      force?: boolean
      seconds?: number
      reported?: ReportedToken
    } = {},
  ): Promise<Run> {
    this.#runs += 1
    return runBroker(
      {
        broker,
        accounts: options.accounts,
        forcedAt: options.force ? this.clock.now() : undefined,
        reported: options.reported,
        owner: `run-${this.#runs}`,
        hardDeadline: this.clock.now().add({ seconds: options.seconds ?? 840 }),
        pacingSeconds: 0,
      },
      this.ports,
    )
  }

  /** One such run, and what it says of the one account, or the first. */
  async runOne(broker: Broker, options: Parameters<World['run']>[1] = {}): Promise<AccountResult> {
    const [result] = (await this.run(broker, options)).report.results
    if (!result) throw new Error(`${broker.id} has no account`)
    return result
  }

  /** The alerts without reminders of what is still open: those come by the clock (test/tokens/tell/incident.test.ts). */
  get news(): readonly Alert[] {
    return this.alerts.filter(({ title }) => !title.startsWith('Still open: '))
  }

  /** Everything said on any surface, for canary searches. */
  said(): string {
    return JSON.stringify({ alerts: this.alerts, logs: this.logs })
  }

  at(instant: string): Temporal.Instant {
    return Temporal.Instant.from(instant)
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.close()))
    await this.#http.close()
    this.database.close()
  }

  #telemetry(): Telemetry {
    const log =
      (level: LogLine['level']) =>
      (message: string, fields: Fields = {}): void =>
        void this.logs.push({ level, message, fields })
    return {
      info: log('info'),
      warn: log('warn'),
      error: log('error'),
      count: (metric, broker, value = 1) => {
        const key = `${broker} ${metric}`
        this.counts.set(key, (this.counts.get(key) ?? 0) + value)
      },
    }
  }
}
