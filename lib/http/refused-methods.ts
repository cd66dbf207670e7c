/**
 * What no page or program sends and the Fetch standard has no request for ("forbidden method"): TRACE would give back
 * what it is sent, cookies included.
 */
const REFUSED: ReadonlySet<string> = new Set(['TRACE', 'TRACK', 'CONNECT'])

/** The `Allow` header of that answer, without which it is none (RFC 9110 section 15.5.6). */
export const ALLOWED_METHODS = 'GET, HEAD, POST'

/** Whether a request is to be answered with 405, whatever it asks for. */
export function isRefusedMethod(method: string): boolean {
  return REFUSED.has(method.toUpperCase())
}
