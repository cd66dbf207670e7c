import type { KeyObject } from 'node:crypto'
import type { Temporal } from 'temporal-polyfill'
import {
  newOwnKeys,
  type OwnKeys,
  openEnvelope,
  peerKeyIn,
  sealEnvelope,
} from '../../brokers/iifl/envelope.ts'
import type { Clock } from '../../ports/clock.ts'
import type { IiflBehaviour } from './behaviour.ts'

/** What an envelope held, and how to answer its sender. */
export interface Received {
  readonly payload: Readonly<Record<string, unknown>>
  seal(reply: unknown): string
}

let shared: Promise<OwnKeys> | undefined

/** One RSA key pair for all simulators of a process: making one takes longer than a test. */
function serverKeys(): Promise<OwnKeys> {
  shared ??= newOwnKeys()
  return shared
}

/** The keys clients have exchanged, and what they send under them. */
export class IiflKeyExchange {
  readonly #clock: Clock
  readonly #behaviour: IiflBehaviour
  readonly #known = new Map<string, { readonly peer: KeyObject; readonly at: Temporal.Instant }>()

  constructor(clock: Clock, behaviour: IiflBehaviour) {
    this.#clock = clock
    this.#behaviour = behaviour
  }

  /** The server's public key for the client's; `undefined` when that is no key. */
  async exchange(clientText: unknown): Promise<string | undefined> {
    const peer = peerKeyIn(String(clientText))
    if (!peer) return undefined
    this.#known.set(String(clientText), { peer, at: this.#clock.now() })
    return (await serverKeys()).publicText
  }

  /** Opens a request of a client whose key is known and neither too old nor too young. */
  async receive(envelope: unknown): Promise<Received | undefined> {
    const own = await serverKeys()
    const opened = openEnvelope(String(envelope), own.privateKey)
    const known = opened && this.#known.get(opened.senderText)
    if (!known) return undefined
    const age = known.at.until(this.#clock.now()).total('seconds')
    const { keyLifeSeconds, keySettleSeconds } = this.#behaviour
    if (age >= keyLifeSeconds || age < keySettleSeconds) return undefined
    return {
      payload: JSON.parse(opened.text) as Record<string, unknown>,
      seal: (reply) => sealEnvelope(reply, { own, peer: known.peer }),
    }
  }
}
