import type { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import { decoded } from '../../http/decoded.ts'
import { type NetworkFault, networkFault } from '../../http/network-fault.ts'
import type { RefusalRule } from '../../ports/broker/broker-api.ts'
import type { Call } from './call.ts'
import { looksAtBody } from './refused-token.ts'
import { Reply } from './reply.ts'
import { peeked, ReplyHead } from './reply-head.ts'

/** Longer than any error of a broker; a longer body is content. */
const LONGEST_ERROR_BYTES = 65_536

/** A reply, of which as much was read as is needed. */
export interface SeenReply {
  readonly head: ReplyHead
  readonly reply: Reply
  readonly body: Readable
  /** Whether the broker refused the access token. */
  readonly refused: boolean
}

/** The error of the network or of undici, where no reply came. */
export class CallFault implements NetworkFault {
  readonly reason: string
  readonly sent: boolean
  readonly fix?: string
  readonly cause: unknown

  constructor(cause: unknown) {
    this.cause = cause
    const { reason, sent, fix } = networkFault(cause)
    this.reason = reason
    this.sent = sent
    if (fix !== undefined) this.fix = fix
  }
}

export interface ExchangeOptions {
  readonly rule: RefusalRule
  readonly dispatcher: Dispatcher
}

/**
 * Sends a call once and waits for the reply; network errors are returned. Throws the signal's reason, and
 * what the caller's own function for the body throws.
 */
export async function exchange(
  call: Call,
  { url, authorization, redirected }: { url: URL; authorization: string; redirected: boolean },
  { rule, dispatcher }: ExchangeOptions,
): Promise<SeenReply | CallFault> {
  const { method, signal } = call
  const opened = call.content.open()
  const content = opened instanceof Promise ? await opened : opened
  try {
    const received = await dispatcher.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: method as Dispatcher.HttpMethod,
      headers: { ...call.headers, authorization },
      body: content,
      signal: signal ?? null,
    })
    const { statusCode, statusText, headers } = received
    const body = decoded(received.body, headers['content-encoding'])
    const head = new ReplyHead(statusCode, headers)
    if (!looksAtBody(rule, head) && !rule.isRefusal(head, undefined)) {
      return { head, body, refused: false, reply: new Reply({ head, statusText, body, url, redirected }) }
    }
    const looked = await peeked(body, LONGEST_ERROR_BYTES)
    const refused = rule.isRefusal(head, looked.bytes && parsed(looked.bytes))
    const reply = new Reply({ head, statusText, body: looked.body, url, redirected })
    return { head, body: looked.body, refused, reply }
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    return new CallFault(error)
  }
}

/** Drops a body that is not read; its connection is kept only where the body is short. */
export function discard(body: Readable & { dump?: (options: { limit: number }) => Promise<void> }): void {
  if (body.dump) void body.dump({ limit: LONGEST_ERROR_BYTES }).catch(() => undefined)
  else body.destroy()
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}
