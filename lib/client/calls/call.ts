import { USER_AGENT } from '../../model/version.ts'
import { CallError } from '../errors.ts'
import { type BodyFactory, type CallBody, type Content, contentOf } from './call-body.ts'

/** The options of one call: those of fetch that make sense here, and when it may be repeated. */
export interface CallInit {
  /** @default GET */
  readonly method?: string
  readonly headers?: Headers | Readonly<Record<string, string>> | readonly (readonly [string, string])[]
  /** A stream goes once; a function that makes one goes as often as needed. */
  readonly body?: CallBody | BodyFactory
  /** A value to be sent as JSON, in place of `body`. */
  readonly json?: unknown
  readonly signal?: AbortSignal | null
  /** Only within one host: the reply of any other redirect is handed out as it came. @default follow */
  readonly redirect?: 'follow' | 'manual' | 'error'
  /** How often a passing fault is answered with a repeat. @default 3 */
  readonly retries?: number
  /** Whether a call that may do its work twice, such as an order, is repeated as well. @default false */
  readonly retryUnsafe?: boolean
}

/** A call ready to be sent, and sent again. */
export interface Call {
  readonly url: URL
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly content: Content
  readonly signal: AbortSignal | undefined
  readonly redirect: 'follow' | 'manual' | 'error'
  /** How often it is repeated after a passing fault. */
  readonly repeats: number
}

/** RFC 9110 section 9.2.2, without TRACE. */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])
const REPEATS = 3

/** Reads what a caller gave. Throws CallError for a call that cannot be made. */
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

/** The caller's headers win over ours; the token's is put over them when the call is sent. */
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
