import type { SimulatedFault } from '../kit/simulator.ts'

export interface ZerodhaUser {
  readonly userId: string
  readonly name: string
}

/** The envelope of a success (lib/brokers/zerodha/README.md, Endpoints). */
export function kiteSuccess(data: unknown): Response {
  return Response.json({ status: 'success', data })
}

/** The envelope of an error (lib/brokers/zerodha/README.md, Errors). */
export function kiteFailure(status: number, errorType: string, message: string): Response {
  return new Response(errorText(errorType, message), {
    status,
    headers: { 'content-type': 'application/json' },
  })
}

/**
 * Kite's passing faults as a server says them once, for {@link SimulatorServer.failNext}
 * (lib/brokers/zerodha/README.md, Errors).
 */
export const KITE_FAULTS: Readonly<Record<429 | 500 | 502 | 503 | 504, SimulatedFault>> = {
  429: fault(429, 'NetworkException', 'Too many requests'),
  500: fault(500, 'GeneralException', 'Something went wrong'),
  502: fault(502, 'DataException', 'Unable to parse the reply of the back end'),
  503: fault(503, 'NetworkException', 'The order system is unreachable'),
  504: fault(504, 'NetworkException', 'The order system gave no reply'),
}

/** The fields that profile and session replies share. */
export function identityOf({ userId, name }: ZerodhaUser): Record<string, unknown> {
  return {
    user_id: userId,
    user_name: name,
    user_shortname: name.split(' ')[0],
    email: `${userId.toLowerCase()}@example.invalid`,
    user_type: 'individual',
    broker: 'ZERODHA',
    exchanges: ['NSE', 'BSE', 'NFO'],
    products: ['CNC', 'NRML', 'MIS'],
    order_types: ['MARKET', 'LIMIT', 'SL', 'SL-M'],
    avatar_url: null,
    meta: { demat_consent: 'physical' },
  }
}

function fault(status: number, errorType: string, message: string): SimulatedFault {
  const headers = { 'content-type': 'application/json' }
  return { kind: 'reply', status, body: errorText(errorType, message), headers }
}

function errorText(errorType: string, message: string): string {
  return JSON.stringify({ status: 'error', message, data: null, error_type: errorType })
}
