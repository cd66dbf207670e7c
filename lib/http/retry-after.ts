/**
 * Milliseconds in a Retry-After header (RFC 9110 section 10.2.3): seconds, or a date on the clock that `nowMs` was read
 * from. `undefined` where there is none that can be read.
 */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined
  const text = header.trim()
  if (/^\d{1,9}(\.\d+)?$/.test(text)) return Number(text) * 1_000
  const date = Date.parse(text)
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs)
}
