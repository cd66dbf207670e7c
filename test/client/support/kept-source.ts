import { Temporal } from 'temporal-polyfill'
import { brokerNamed } from '../../../lib/brokers/index.ts'
import type { ClientToken, TokenSource } from '../../../lib/client/index.ts'
import { type AccountId, brokerOf } from '../../../lib/model/account-id.ts'
import { Secret } from '../../../lib/model/secrets/secret.ts'
import type { Broker } from '../../../lib/ports/broker/broker.ts'
import { authorizationOf } from '../../../lib/tokens/service/read-published.ts'

/**
 * A keeper in memory, which the test moves: what is published, what a report or a renewal brings, what fails. It
 * counts what it is asked.
 */
export class KeptSource implements TokenSource {
  readonly account: AccountId
  readonly broker: Broker
  readonly asked = { read: 0, report: 0, renew: 0, force: 0 }
  /** The tokens that were reported as refused. */
  readonly reported: string[] = []
  hosts: Record<string, string> = {}
  clientId: Secret | undefined = new Secret('SIM-APP')
  published: ClientToken | undefined
  /** What a renewal publishes; `undefined`: nothing is due. */
  next: (() => ClientToken) | undefined
  /** Thrown by the named method, as often as it is in the list. */
  readonly failures: { readonly at: 'read' | 'report' | 'renew'; readonly error: Error }[] = []
  /** What the source does while it works, such as wait. */
  during: () => Promise<void> = async () => undefined
  #count = 0

  constructor(account: string) {
    this.account = account as AccountId
    this.broker = brokerNamed(brokerOf(this.account))
  }

  /** A token of the next generation, which dies then. */
  token(expiresAt?: string): ClientToken {
    this.#count += 1
    const accessToken = new Secret(`CANARY-access-token-${this.#count}`)
    const { clientId, broker, account } = this
    const header = authorizationOf(broker, {
      accessToken,
      version: this.#count,
      ...(clientId && { clientId }),
    })
    return {
      account,
      broker: broker.id,
      accessToken,
      generation: this.#count,
      version: this.#count,
      ...(header !== undefined && { authorization: new Secret(header) }),
      ...(expiresAt !== undefined && { expiresAt: Temporal.Instant.from(expiresAt) }),
    }
  }

  publish(expiresAt?: string): ClientToken {
    this.published = this.token(expiresAt)
    return this.published
  }

  async read(): Promise<ClientToken> {
    this.asked.read += 1
    await this.#work('read')
    return this.#present()
  }

  async report(refused: ClientToken): Promise<ClientToken | undefined> {
    this.asked.report += 1
    this.reported.push(refused.accessToken.reveal())
    await this.#work('report')
    if (this.next) this.published = this.next()
    return undefined
  }

  async renew({ force }: { readonly force: boolean }): Promise<ClientToken | undefined> {
    this.asked[force ? 'force' : 'renew'] += 1
    await this.#work('renew')
    if (this.next) this.published = this.next()
    return this.published
  }

  #present(): ClientToken {
    if (this.published) return this.published
    throw new Error('the test published nothing')
  }

  async #work(at: 'read' | 'report' | 'renew'): Promise<void> {
    await this.during()
    const index = this.failures.findIndex((failure) => failure.at === at)
    const failure = index < 0 ? undefined : this.failures.splice(index, 1)[0]
    if (failure) throw failure.error
  }
}
