import type { Temporal } from 'temporal-polyfill'
import { type AccountId, parseAccountId } from '../../../lib/model/account-id.ts'
import {
  type AccountSettings,
  type AccountState,
  changed,
  newAccountState,
} from '../../../lib/model/account-state.ts'
import type { SecretName } from '../../../lib/model/secrets/secret-name.ts'
import type { Broker } from '../../../lib/ports/broker/broker.ts'
import type { Ports } from '../../../lib/ports/ports.ts'
import { storedValue } from '../../../lib/ports/token-vault.ts'
import { VirtualClock } from '../../../lib/simulators/kit/virtual-clock.ts'
import { runBroker } from '../../../lib/tokens/refresh/run.ts'
import { Ledger } from './ledger.ts'
import { memoryStates, memoryVault } from './memory-stores.ts'
import { cutbroker } from './one-session-broker.ts'
import { OneSessionSimulator } from './one-session-simulator.ts'
import { Process } from './process.ts'
import { saysLive } from './status.ts'
import type { Outage } from './watched-account.ts'
import { type WatchedWorld, watchedPorts } from './watched-ports.ts'

/** A Monday on which the market opens at 09:15. */
const START = '2026-11-23T06:30:00+05:30'
/** How long the process of a scheduled run may live. */
export const RUN_SECONDS = 600
/** A run that has to give up soon still may start an account. */
export const SHORT_RUN_SECONDS = 60

/** One account, its broker, its stores, and the ledger of what must hold while processes come and go. */
export class CutWorld implements WatchedWorld {
  readonly clock = new VirtualClock(START)
  readonly simulator = new OneSessionSimulator(this.clock)
  readonly vault = memoryVault(this.clock)
  readonly states = memoryStates()
  readonly account: AccountId = parseAccountId('cutbroker')
  readonly broker: Broker
  readonly ledger: Ledger
  /** What happened in this world so far: two with as many happenings after the same beginning are the same. */
  happenings = 0
  /** Breaks our own side on purpose. */
  sabotage: (ports: Ports) => Ports = (ports) => ports
  /** How many writes still fail, and whose. */
  outage: { readonly of: Outage; left: number } | undefined
  #runs = 0

  constructor(broker: Broker = cutbroker) {
    this.broker = broker
    this.ledger = new Ledger(this)
  }

  async register(
    secrets: Partial<Record<SecretName, string>>,
    settings: AccountSettings = {},
  ): Promise<void> {
    await this.store(secrets)
    await this.states.replace(changed(newAccountState(this.account, settings), {}))
  }

  /** What a person stores. */
  async store(secrets: Partial<Record<SecretName, string>>): Promise<void> {
    for (const [name, value] of Object.entries(secrets)) {
      await this.vault.write(this.account, name as SecretName, storedValue(name as SecretName, value))
    }
  }

  async stored(name: SecretName): Promise<string | undefined> {
    return (await this.vault.read(this.account, [name])).get(name)?.value.reveal()
  }

  async record(): Promise<AccountState> {
    const state = await this.states.get(this.account)
    if (!state) throw new Error('the account is not registered')
    return state
  }

  /** The ports of a process that is stopped from outside at `endsBy`, everything it does watched. */
  portsOf(process: Process, endsBy: Temporal.Instant): Ports {
    process.onCall = (name) => this.ledger.calling(process, name)
    return process.ports(this.sabotage(watchedPorts(this, process, endsBy)))
  }

  /** The ports of somebody who is not killed. */
  ports(seconds = RUN_SECONDS): Ports {
    return this.portsOf(new Process(), this.clock.now().add({ seconds }))
  }

  /** A run as the schedule makes it, or a person who wants a new token. */
  async run(
    options: { readonly force?: boolean; readonly process?: Process; readonly seconds?: number } = {},
  ): Promise<void> {
    const { force = false, process = new Process(), seconds = RUN_SECONDS } = options
    const hardDeadline = this.clock.now().add({ seconds })
    this.#runs += 1
    await runBroker(
      {
        broker: this.broker,
        accounts: [this.account],
        owner: `run-${this.#runs}`,
        hardDeadline,
        ...(force && { forcedAt: this.clock.now() }),
      },
      this.portsOf(process, hardDeadline),
    )
  }

  async statusSaysLive(): Promise<boolean> {
    return saysLive(await this.states.get(this.account), this.clock.now())
  }

  /** What the broker would say of the token that consumers read. */
  async isLive(): Promise<boolean> {
    return this.simulator.isLive(await this.stored('access_token'))
  }

  /** Whether our own service fails this time. */
  fails(service: Outage): boolean {
    if (this.outage?.of !== service || this.outage.left <= 0) return false
    this.outage.left -= 1
    return true
  }

  /** I9, at a moment at which somebody may ask. */
  async moment(when: string): Promise<void> {
    if ((await this.statusSaysLive()) && !(await this.isLive())) {
      this.ledger.violated('I9', `${when}: status says live, the broker says dead`)
    }
  }
}
