import type { BrokerContext } from '../../ports/broker/broker-context.ts'
import { askFor } from './call.ts'
import { type EnvelopeKeys, newOwnKeys, peerKeyIn } from './envelope.ts'
import { missing } from './errors.ts'

/** The key exchange is sometimes slow (README, Unattended login). */
const TIMEOUT_MS = 20_000
/** Where the reply has IIFL's key. */
const KEY_PATHS = ['cPubKey', 'result.0.seData'] as const

/** Makes a new key pair and exchanges it for IIFL's key, at the address of one of the variants. */
export async function exchangeKeys(context: BrokerContext, url: string): Promise<EnvelopeKeys> {
  const own = await newOwnKeys()
  const question = { step: 'keys', url, json: { ceData: own.publicText }, timeoutMs: TIMEOUT_MS } as const
  const { text, reply } = await askFor(context, question, KEY_PATHS)
  const peer = peerKeyIn(text.reveal())
  if (!peer) throw missing(reply, KEY_PATHS[0])
  return { own, peer }
}
