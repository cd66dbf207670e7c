import type { Temporal } from 'temporal-polyfill'

export interface UpstoxUser {
  readonly userId: string
  readonly name: string
}

/** The error envelope of lib/brokers/upstox/README.md, Errors, in both casings. */
export function upstoxFailure(status: number, code: string, message: string): Response {
  const named = { errorCode: code, error_code: code }
  const rest = { message, propertyPath: null, invalidValue: null, property_path: null, invalid_value: null }
  return Response.json({ status: 'error', errors: [{ ...named, ...rest }] }, { status })
}

export function upstoxSuccess(data: unknown): Response {
  return Response.json({ status: 'success', data })
}

/** The edge's answer to a client signature it does not like (error 1010). */
export function edgeBlock(): Response {
  const body = '<!doctype html><html><body>Access denied. Error code 1010</body></html>'
  return new Response(body, { status: 403, headers: { 'content-type': 'text/html' } })
}

/** What the logout of a dead token answers: a Java exception as JSON. */
export function javaException(): Response {
  const message = 'token is invalid'
  const body = { cause: null, stackTrace: [], message, suppressed: [], localizedMessage: message }
  return Response.json(body, { status: 401 })
}

/** Upstox writes epoch milliseconds as text. */
export function millisecondText(instant: Temporal.Instant): string {
  return String(instant.epochMilliseconds)
}

/** The fields that profile and exchange share. */
export function profileOf(user: UpstoxUser | undefined): Record<string, unknown> {
  return {
    email: 'sim.one@example.invalid',
    exchanges: ['NSE', 'NFO', 'BSE', 'CDS', 'BFO', 'BCD'],
    products: ['D', 'CO', 'I'],
    broker: 'UPSTOX',
    user_id: user?.userId,
    user_name: user?.name,
    order_types: ['MARKET', 'LIMIT', 'SL', 'SL-M'],
    user_type: 'individual',
    poa: false,
    is_active: true,
  }
}
