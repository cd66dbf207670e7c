import type { SecretName } from '../../../lib/model/secrets/secret-name.ts'
import { HttpError, type HttpReply } from '../../../lib/ports/http.ts'
import type { Alert } from '../../../lib/ports/notifier.ts'
import { STRANGER, USER } from './one-session-simulator.ts'
import { isOnlyForPerson } from './only-for-person.ts'
import type { Process } from './process.ts'
import type { WatchedAccount } from './watched-account.ts'

export type Invariant = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7' | 'I8' | 'I9' | 'I10'

/** What the outside saw of all processes, and which invariants that breaks. */
export class Ledger {
  readonly violations: string[] = []
  readonly alerts: Alert[] = []
  readonly #world: WatchedAccount
  readonly #said: unknown[] = []
  /** Credentials that work once and may have arrived, by value. */
  readonly #spent = new Set<string>()
  /** Refresh tokens in the hands of a process that has to save them. */
  readonly #unsaved = new Map<Process, string>()
  /** Refresh tokens that were about to be saved, and by whom, the newest last. */
  readonly #saving: { readonly token: string; readonly process: Process }[] = []
  readonly #saved = new Set<string>()
  readonly #lastTold = new Map<Process, number>()
  #inFlight = 0

  constructor(world: WatchedAccount) {
    this.#world = world
  }

  violated(invariant: Invariant, what: string): void {
    this.violations.push(`${invariant} ${what}`)
  }

  /** What left the process: a record, a log line, an address. */
  said(what: unknown): void {
    this.#said.push(what)
  }

  /** A request that may mint a token leaves; call what is given with the reply, or with the error. */
  sending(path: string, form: URLSearchParams, process: Process): (outcome: unknown) => void {
    this.#inFlight += 1
    if (this.#inFlight > 1) this.violated('I3', 'two renewals are in flight')
    const value = form.get('code') ?? form.get('refresh_token')
    const isSingleUse = value !== null && value !== this.#world.simulator.staticRefreshToken
    if (isSingleUse && this.#spent.has(value))
      this.violated('I4', `${path} was sent the same credential again`)
    if (isSingleUse) this.#spent.add(value)
    return (outcome) => {
      this.#inFlight -= 1
      if (isSingleUse && isStillGood(outcome)) this.#spent.delete(value)
      const { refresh_token: token } = jsonOf(outcome)
      // Whose login names nobody is asked first: a stranger's must not be saved.
      const { simulator } = this.#world
      if (token && simulator.namesUser && simulator.ownerOf(token) === USER) this.#unsaved.set(process, token)
    }
  }

  /** I1: nothing comes between a reply and the save of what it brought. */
  calling(process: Process, name: string): void {
    if (this.#unsaved.has(process) && name !== 'vault.write')
      this.violated('I1', `${name} came before the new refresh token was saved`)
  }

  saving(process: Process, name: SecretName, value: string): void {
    const { simulator } = this.#world
    if (this.#unsaved.get(process) === value) this.#unsaved.delete(process)
    if (name === 'access_token') {
      if (!simulator.proven.has(value)) this.violated('I2', 'a token was published without a proof')
      if (simulator.ownerOf(value) === STRANGER) this.violated('I2', "a stranger's token was published")
    }
    if (name === 'refresh_token') {
      if (simulator.ownerOf(value) === STRANGER) this.violated('I2', "a stranger's refresh token was saved")
      this.#saving.push({ token: value, process })
    }
  }

  saved(value: string): void {
    this.#saved.add(value)
  }

  /** I2 and I10: nothing stored is removed but a kept token that is published, or that the broker does not take. */
  async removing(name: SecretName): Promise<void> {
    if (name !== 'pending') this.violated('I2', `${name} was removed`)
    else if (await this.#keepsNews()) this.violated('I10', 'a token that was kept and lives was removed')
  }

  /** I10: no grant is used, and no run at rest, while a kept token lives that is not published. */
  async checkKept(): Promise<void> {
    if (await this.#keepsNews()) this.violated('I10', 'a token that was kept and lives was not published')
  }

  async #keepsNews(): Promise<boolean> {
    const { simulator } = this.#world
    const kept = JSON.parse((await this.#world.stored('pending')) ?? '{}').accessToken as string | undefined
    const isOurs = kept !== undefined && simulator.ownerOf(kept) === USER
    return isOurs && simulator.isLive(kept) && kept !== (await this.#world.stored('access_token'))
  }

  async told(alert: Alert, process: Process): Promise<void> {
    this.said(alert)
    const justified = await isOnlyForPerson(this.#world, alert.kind)
    if (!justified) this.violated('I5', `told "${alert.kind}: ${alert.reason}", which is not so`)
    if (alert.title.startsWith('Still open: ')) return
    this.alerts.push(alert)
    this.#lastTold.set(process, this.alerts.length)
  }

  /** Whether somebody was asked and does not know yet that it is over. */
  get isOpen(): boolean {
    return this.alerts.length > 0 && this.alerts.at(-1)?.kind !== 'solved'
  }

  /** Whether this process was the last that told somebody something. */
  toldBy(process: Process): boolean {
    return this.alerts.length > 0 && this.#lastTold.get(process) === this.alerts.length
  }

  /** I5: nobody was told the same twice in a row, but for `repeats` messages that a crash may repeat. */
  checkMessages(repeats: number): void {
    let again = 0
    let before: Alert['kind'] = 'solved'
    for (const { kind } of this.alerts) {
      if (kind === before) again += 1
      before = kind
    }
    if (again > repeats) {
      const kinds = this.alerts.map(({ kind }) => kind).join(', ')
      this.violated('I5', `told the same again ${again} times where ${repeats} may be: ${kinds}`)
    }
  }

  /**
   * I1: the newest refresh token that was saved is stored, and so is one that could not be saved, unless somebody was told
   * that it is lost or whoever tried was killed.
   */
  async checkRefreshTokens(): Promise<void> {
    const newest = this.#saving.findLast(({ token, process }) => this.#saved.has(token) || process.isAlive)
    const kept = [await this.#world.stored('refresh_token'), await this.#world.stored('pending')].join(' ')
    const isTold = this.alerts.some(({ kind }) => kind === 'token_lost')
    if (newest && !kept.includes(newest.token) && !isTold)
      this.violated('I1', 'the newest refresh token is not stored, and nobody was told')
  }

  /** What only the end of it all shows: I4, I6, I7. */
  checkTotals(): void {
    const { simulator } = this.#world
    const { reuses, codeReuses, stepReuses, wrongPasswords } = simulator
    if (reuses > 0) this.violated('I4', 'a spent refresh token was sent')
    if (codeReuses > 0) this.violated('I4', 'a spent code was sent')
    if (stepReuses > 0) this.violated('I7', 'a one-time code was sent twice')
    if (wrongPasswords > 1) this.violated('I7', `a wrong password was sent ${wrongPasswords} times`)
    const text = JSON.stringify(this.#said)
    for (const secret of simulator.issued) {
      if (text.includes(secret)) this.violated('I6', `${secret} was shown`)
    }
  }
}

/** Nothing was served, for sure: the same credential may be sent again. */
function isStillGood(outcome: unknown): boolean {
  if (outcome instanceof HttpError) return !outcome.sent
  return (outcome as HttpReply).status === 429
}

function jsonOf(outcome: unknown): { readonly refresh_token?: string } {
  const { body = '' } = outcome as Partial<HttpReply>
  return body.startsWith('{') ? JSON.parse(body) : {}
}
