import type { Temporal } from 'temporal-polyfill'
import type { AccountId } from '../../model/account-id.ts'
import { type AccountState, type StateChanges, withChanges } from '../../model/account-state.ts'
import type { SecretName } from '../../model/secrets/secret-name.ts'
import { earlier } from '../../model/time/instants.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { Ports } from '../../ports/ports.ts'
import type { Publication } from '../../ports/subscriber.ts'
import type { StoredSecrets } from '../../ports/token-vault.ts'
import type { ChangesOf, Lease } from '../lease/lease.ts'
import { readStored } from '../lease/read-stored.ts'
import { untilRecorded } from '../lease/until-recorded.ts'
import type { RunContext } from './broker-context.ts'
import { type OpenAccount, openAccount } from './open-account.ts'
import { MOST_RECORDING_SECONDS, RECORDING_SECONDS } from './times.ts'

type Instant = Temporal.Instant

export interface TransactionOptions {
  readonly broker: Broker
  readonly lease: Lease
  /** No broker call is made after this instant. @default - until the lease is about to end */
  readonly deadline?: Instant
  /** When this process ends for certain, which may be after the lease; no lease is extended beyond it. */
  readonly processEnd: Instant
  readonly ports: Ports
}

/**
 * The work on one account while its lease is held: what all steps share, and what they have noted to be
 * recorded so far. Notes are written by {@link write}, and at the end of the work (under-lease.ts).
 */
export class Transaction implements OpenAccount {
  readonly broker: Broker
  readonly ports: Ports
  /** The record when the lease was taken. */
  readonly before: AccountState
  readonly #lease: Lease
  readonly #deadline: Instant
  readonly #processEnd: Instant
  #found: StateChanges = {}
  #open: OpenAccount | undefined
  #forgotten = new Set<SecretName>()

  constructor({ broker, lease, deadline, processEnd, ports }: TransactionOptions) {
    const { until } = lease.state.lease ?? { until: processEnd }
    const lastCall = earlier(processEnd, until).subtract({ seconds: RECORDING_SECONDS })
    this.broker = broker
    this.ports = ports
    this.before = lease.state
    this.#lease = lease
    this.#processEnd = processEnd
    this.#deadline = deadline ? earlier(deadline, lastCall) : lastCall
  }

  get account(): AccountId {
    return this.before.account
  }

  /** The record, with what was noted since. */
  get state(): AccountState {
    return withChanges(this.#lease.state, this.#found)
  }

  /**
   * Reads the account's secrets; `stored`, `context` and every broker call need them. Throws TokenVaultError.
   */
  async readSecrets(): Promise<void> {
    this.begin(await readStored(this.ports, this.broker, this.state))
  }

  /** Uses secrets that were read before the lease was taken. */
  begin(stored: StoredSecrets): void {
    const { broker, ports, state } = this
    const moreTime = (): Promise<Instant> => this.#moreTime()
    this.#open = openAccount({ broker, state, stored, deadline: this.#deadline, moreTime }, ports)
  }

  /** Until when what was found can be recorded. */
  get endsAt(): Instant {
    return this.#processEnd.subtract({ seconds: RECORDING_SECONDS })
  }

  /** Whether the secrets have been read. */
  get isOpen(): boolean {
    return this.#open !== undefined
  }

  get stored(): StoredSecrets {
    const { stored } = this.#opened()
    if (this.#forgotten.size === 0) return stored
    return new Map([...stored].filter(([name]) => !this.#forgotten.has(name)))
  }

  get context(): RunContext {
    return this.#opened().context
  }

  /** What was published under this lease. */
  get publications(): readonly Publication[] {
    return this.#open?.context.publications() ?? []
  }

  /** Notes that a secret was removed from the vault: `stored` no longer has it. */
  forget(name: SecretName): void {
    this.#forgotten.add(name)
  }

  /** Notes something to record; a later note about the same field replaces it. */
  note(changes: StateChanges): void {
    this.#found = { ...this.#found, ...changes }
  }

  /**
   * Records what was noted, and these changes, while the work goes on. Throws LeaseLostError,
   * StateStoreError.
   */
  async write(changes: StateChanges = {}): Promise<void> {
    await this.#lease.write({ ...this.#found, ...changes })
    this.#found = {}
  }

  /**
   * Records what was noted and gives the lease back; repeats that while the store has a passing fault. False
   * where another run has taken over. Throws StateStoreError.
   */
  async release(changesOf: ChangesOf = () => ({})): Promise<boolean> {
    const { clock } = this.ports
    const totpStep = this.#open?.context.usedTotpStep()
    const record: ChangesOf = (state) => ({
      ...this.#found,
      ...(totpStep !== undefined && { totpStep }),
      ...changesOf(state),
    })
    const end = earlier(
      clock.now().add({ seconds: MOST_RECORDING_SECONDS }),
      this.#processEnd.subtract({ seconds: RECORDING_SECONDS }),
    )
    return untilRecorded(() => this.#lease.release(record), end, clock)
  }

  async #moreTime(): Promise<Instant> {
    // The refresh token is saved even where the lease cannot be extended (I1).
    await this.#lease.extend(this.#processEnd).catch(() => undefined)
    return this.#processEnd.subtract({ seconds: RECORDING_SECONDS })
  }

  #opened(): OpenAccount {
    if (this.#open) return this.#open
    throw new Error('the secrets of this account have not been read yet')
  }
}
