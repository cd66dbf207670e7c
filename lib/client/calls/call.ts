import { USER_AGENT } from '../../model/version.ts'
import { CallError } from '../errors.ts'
import { type BodyFactory, type CallBody, type Content, contentOf } from './call-body.ts'

/** The options of one call: those of fetch that make sense here, and when the call may be repeated. */
export interface CallInit {
  /** @default GET */
  readonly method?: string
  readonly headers?: Headers | Readonly<Record<string, string>> | readonly (readonly [string, string])[]
  /** A stream can be sent once; a function that makes one, as often as needed. */
  readonly body?: CallBody | BodyFactory
  /** A value to be sent as JSON, in place of `body`. */
  readonly json?: unknown
  readonly signal?: AbortSignal | null
  /**
   * `follow` follows redirects within one host; a redirect elsewhere is returned as the reply. @default
   * follow
   */
  readonly redirect?: 'follow' | 'manual' | 'error'
  /** How often a call is repeated after a passing fault. @default 3 */
  readonly retries?: number
  /** Whether to repeat also a call whose work may then be done twice, such as an order. @default false */
  readonly retryUnsafe?: boolean
}

/** A call that is ready to be sent, once or several times. */
export interface Call {
  readonly url: URL
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly content: Content
  readonly signal: AbortSignal | undefined
  readonly redirect: 'follow' | 'manual' | 'error'
  /** How often it may be repeated after a passing fault. */
  readonly repeats: number
}

/** The idempotent methods (RFC 9110 section 9.2.2), without TRACE. */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])
const REPEATS = 3

/** Makes a call of what the caller gave. Throws CallError for one that cannot be made. */
export function callOf(url: URL, init: CallInit, defaults: Readonly<Record<string, string>>): Call {
  const method = (init.method ?? 'GET').toUpperCase()
  const content = contentOf(init.body, init.json)
  const repeatable = content.replayable && (IDEMPOTENT.has(method) || init.retryUnsafe === true)
  return {
    url,
    method,
    content,
    headers: headersOf(init.headers, content, defaults),
    signal: init.signal ?? undefined,
    redirect: init.redirect ?? 'follow',
    repeats: repeatable ? repeatsOf(init.retries) : 0,
  }
}

function repeatsOf(retries = REPEATS): number {
  if (Number.isInteger(retries) && retries >= 0) return retries
  throw new CallError('the number of retries must be 0 or more', {
    code: 'invalid_call',
    actor: 'developer',
    sent: false,
    fix: 'give a whole number, or leave it out for three',
  })
}

/** The headers of a call. The caller's count more than ours; the token's is added when the call is sent. */
function headersOf(
  given: CallInit['headers'],
  { contentType }: Content,
  defaults: Readonly<Record<string, string>>,
): Record<string, string> {
  const headers: Record<string, string> = { 'user-agent': USER_AGENT, accept: '*/*', ...defaults }
  if (contentType !== undefined) headers['content-type'] = contentType
  if (given === undefined) return headers
  const entries = Symbol.iterator in given ? given : Object.entries(given)
  for (const [name, value] of entries) headers[name.toLowerCase()] = value
  return headers
}
