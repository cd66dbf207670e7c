import type { Temporal } from 'temporal-polyfill'
import { retryAfterMs } from '../../http/retry-after.ts'
import {
  AmbiguousError,
  BrokerUnavailableError,
  RateLimitedError,
  type TokenkeeperError,
  UnexpectedResponseError,
  WAIT_FOR_RUN,
  WAIT_OUT,
} from '../../model/errors.ts'
import { USER_AGENT } from '../../model/version.ts'
import type { BrokerContext } from '../../ports/broker/broker-context.ts'
import { HttpError, type HttpReply } from '../../ports/http.ts'

/** Seconds to wait after a 429 without a hint (lib/brokers/README.md, Errors, rule 6). */
const RATE_LIMIT_DEFAULT_S = 60

/**
 * What a call uses up once the broker has seen it: nothing (or something reusable), an attempt that counts
 * towards a lock-out, or a credential that works once. It decides what a lost reply means.
 */
export type Spends = 'nothing' | 'attempt' | 'credential'

/** One request to a broker, and what it uses up. */
export interface BrokerCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON, with the keys in this order. */
  readonly json?: unknown
  /** Sent as application/x-www-form-urlencoded. */
  readonly form?: Readonly<Record<string, string>>
  readonly timeoutMs?: number
  readonly spends: Spends
  /** Seconds to wait after a 429 without a hint, where the broker's README says another time than 60 s. */
  readonly rateLimitSeconds?: (reply: BrokerReply) => number
}

/** A broker's reply, with the body parsed. */
export interface BrokerReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** The parsed body; `undefined` where it is no JSON. */
  readonly json: unknown
  /** The kind of the body, for messages, which never contain the body itself. */
  readonly bodyKind: 'json' | 'html' | 'empty' | 'text'
  /** When the request was sent; lifetimes count from then. */
  readonly sentAt: Temporal.Instant
}

/**
 * Sends one request to a broker and returns its reply, whatever its status. Throws BrokerUnavailableError or
 * AmbiguousError where there is no reply, RateLimitedError for a 429.
 */
export async function callBroker(
  context: BrokerContext,
  broker: string,
  call: BrokerCall,
): Promise<BrokerReply> {
  const sentAt = context.clock.now()
  const body = bodyOf(call)
  let reply: HttpReply
  try {
    reply = await context.send({
      method: call.method,
      url: call.url,
      headers: { accept: 'application/json', 'user-agent': USER_AGENT, ...body.headers, ...call.headers },
      ...(body.text !== undefined && { body: body.text }),
      ...(call.timeoutMs !== undefined && { timeoutMs: call.timeoutMs }),
    })
  } catch (error) {
    if (!(error instanceof HttpError)) throw error
    if (!error.sent) {
      throw new BrokerUnavailableError(`${broker} could not be reached (${error.reason})`, {
        sent: false,
        cause: error,
        fix: error.fix ?? WAIT_FOR_RUN,
      })
    }
    throw noUsableReply(broker, call.spends, error.reason, error)
  }
  const parsed = parse(reply, sentAt)
  if (reply.status === 429) throw rateLimited(broker, parsed, call.rateLimitSeconds?.(parsed))
  return parsed
}

/**
 * The error for a reply in which the adapter found no verdict: a redirect is refused, a server fault or a
 * broken body is no usable reply, and a 4xx that is not JSON is tried again by a later run
 * (lib/brokers/README.md, Errors, rules 2 to 4).
 */
export function errorByStatus(broker: string, reply: BrokerReply, spends: Spends): TokenkeeperError {
  const what = `${broker} answered ${reply.status} with ${describe(reply)}`
  if (reply.status >= 300 && reply.status < 400) {
    return new UnexpectedResponseError(`${what}: redirects are refused`, {
      status: reply.status,
      field: 'location',
      fix: "check the broker's host in the configuration",
    })
  }
  if (reply.status >= 500 || reply.bodyKind !== 'json') {
    return noUsableReply(broker, reply.status >= 400 && reply.status < 500 ? 'nothing' : spends, what)
  }
  return new UnexpectedResponseError(what, {
    status: reply.status,
    fix: 'report it: the broker may have changed its replies',
  })
}

/** The error for a reply that lacks a field which the contract promises. */
export function badField(broker: string, reply: BrokerReply, field: string): UnexpectedResponseError {
  return new UnexpectedResponseError(`${broker} answered ${reply.status} without a usable ${field}`, {
    status: reply.status,
    field,
    fix: 'report it: the broker may have changed its replies; what is stored was kept',
  })
}

/**
 * The error where no usable reply came: BrokerUnavailableError where the call spends nothing, else
 * AmbiguousError.
 */
export function noUsableReply(
  broker: string,
  spends: Spends,
  why: string,
  cause?: unknown,
): TokenkeeperError {
  const detail = why.startsWith(broker) ? why : `${broker} gave no usable reply (${why})`
  const details = { ...(cause !== undefined && { cause }) }
  if (spends === 'nothing') {
    return new BrokerUnavailableError(detail, { ...details, fix: WAIT_FOR_RUN })
  }
  const fate = spends === 'credential' ? 'the credential may be spent' : 'the attempt may have counted'
  return new AmbiguousError(`${detail}; ${fate}`, {
    ...details,
    fix: 'wait for the next run: it looks before it tries again',
  })
}

function rateLimited(
  broker: string,
  reply: BrokerReply,
  minimumSeconds = RATE_LIMIT_DEFAULT_S,
): RateLimitedError {
  const retryAfterSeconds = retryAfter(reply) ?? minimumSeconds
  return new RateLimitedError(`${broker} throttles us for ${Math.ceil(retryAfterSeconds)} s`, {
    retryAfterSeconds,
    fix: WAIT_OUT,
  })
}

/**
 * The seconds of a Retry-After header; `undefined` where it has none or cannot be read. The header is a
 * number or an HTTP date (RFC 9110 section 10.2.3), and a date is by the broker's clock.
 */
export function retryAfter(reply: BrokerReply): number | undefined {
  const theirs = Date.parse(reply.headers['date'] ?? '')
  const now = Number.isNaN(theirs) ? reply.sentAt.epochMilliseconds : theirs
  const milliseconds = retryAfterMs(reply.headers['retry-after'], now)
  return milliseconds === undefined ? undefined : milliseconds / 1_000
}

function bodyOf(call: BrokerCall): { readonly text?: string; readonly headers: Record<string, string> } {
  if (call.json !== undefined) {
    return { text: JSON.stringify(call.json), headers: { 'content-type': 'application/json' } }
  }
  if (call.form !== undefined) {
    return {
      text: new URLSearchParams(call.form).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    }
  }
  return { headers: {} }
}

function parse(reply: HttpReply, sentAt: Temporal.Instant): BrokerReply {
  const { status, headers, body } = reply
  const text = body.trim()
  if (text === '') return { status, headers, json: undefined, bodyKind: 'empty', sentAt }
  try {
    return { status, headers, json: JSON.parse(text) as unknown, bodyKind: 'json', sentAt }
  } catch {
    return { status, headers, json: undefined, bodyKind: text.startsWith('<') ? 'html' : 'text', sentAt }
  }
}

function describe(reply: BrokerReply): string {
  const words = {
    json: 'an unknown body',
    html: 'HTML instead of JSON',
    empty: 'an empty body',
    text: 'broken JSON',
  }
  return words[reply.bodyKind]
}
