import * as z from 'zod/mini'
import { type ClientActor, ClientError } from '../errors.ts'

/** What the backend's answer means (lib/brokers/pos-connector/README.md, Invoices). */
export type PosConnectorCode =
  /** The data of the invoice is wrong: see `errors`. */
  | 'invalid_data'
  | 'unknown_invoice'
  /** The account may not do this, or it is another vendor's invoice. */
  | 'forbidden'
  | 'conflict'
  /** The token was refused, renewed, and the new one was refused too. */
  | 'token_refused'
  /** The path, or the address before it, is not that of the API. */
  | 'wrong_route'
  | 'throttled'
  /** Nothing was done. */
  | 'unavailable'
  /** It may have been done. */
  | 'ambiguous'
  | 'response_unexpected'
  | 'not_a_pdf'
  | 'pdf_incomplete'
  | 'pdf_too_large'

export interface PosConnectorErrorDetails {
  readonly code: PosConnectorCode
  readonly actor: ClientActor
  readonly fix: string
  readonly status?: number
  readonly errors?: Readonly<Record<string, readonly string[]>>
  readonly idempotencyKey?: string | undefined
  readonly cause?: unknown
}

/** An operation on invoices that did not work. */
export class PosConnectorError extends ClientError {
  override readonly code: PosConnectorCode
  override readonly actor: ClientActor
  /** The HTTP status, where there was a reply. */
  readonly status: number | undefined
  /** What the backend says about fields of the invoice; empty unless the code is `invalid_data`. */
  readonly errors: Readonly<Record<string, readonly string[]>>
  /**
   * The key that the call was sent with. With the same key a repeat makes no second invoice, where the
   * backend supports that.
   */
  readonly idempotencyKey: string | undefined

  constructor(message: string, details: PosConnectorErrorDetails) {
    super(message, details)
    this.code = details.code
    this.actor = details.actor
    this.status = details.status
    this.errors = details.errors ?? {}
    this.idempotencyKey = details.idempotencyKey
  }
}

/**
 * The only part of an error's body that is kept: in debug mode there are stack traces and request data beside
 * it.
 */
const Invalid = z.object({ errors: z.record(z.string(), z.array(z.string())) })

interface Meaning {
  readonly code: PosConnectorCode
  readonly actor: ClientActor
  readonly what: string
  readonly fix: string
}

const CHECK_ROUTE = 'check baseUrl and the paths of the client against the routes of the backend'
const MEANINGS: Readonly<Record<number, Meaning>> = {
  401: {
    code: 'token_refused',
    actor: 'operator',
    what: 'the backend refuses a token that was just renewed',
    fix: 'check that baseUrl is the backend the account logs in to: tokenkeeper doctor',
  },
  403: {
    code: 'forbidden',
    actor: 'operator',
    what: 'the account may not do this, or the vendor is another one',
    fix: 'check the rights of the account and the vendor id',
  },
  404: {
    code: 'unknown_invoice',
    actor: 'developer',
    what: 'there is no such invoice, or no such route',
    fix: `check the invoice id; else ${CHECK_ROUTE}`,
  },
  409: {
    code: 'conflict',
    actor: 'developer',
    what: 'the invoice is in a state that does not allow it',
    fix: 'read its status instead of repeating the call',
  },
  422: {
    code: 'invalid_data',
    actor: 'developer',
    what: 'the data of the invoice is wrong',
    fix: 'correct the fields named in errors',
  },
  429: {
    code: 'throttled',
    actor: 'wait',
    what: 'the backend throttles this account',
    fix: 'call less often, or try again in a minute',
  },
}

/** The error for a reply that is no success. `writes` says whether the call may have changed something. */
export function posConnectorError(
  operation: string,
  reply: { readonly status: number; readonly body: string },
  { writes, idempotencyKey }: { readonly writes: boolean; readonly idempotencyKey?: string },
): PosConnectorError {
  const { status } = reply
  const { what, ...meaning } = MEANINGS[status] ?? meaningOf(status, writes)
  const errors = status === 422 ? errorsIn(reply.body) : {}
  const fields = Object.keys(errors)
  const which = fields.length > 0 ? `: ${fields.join(', ')}` : ''
  return new PosConnectorError(`${operation}: ${what}${which} (HTTP ${status})`, {
    ...meaning,
    status,
    errors,
    idempotencyKey,
  })
}

/** The error where no reply came to a call that may have been carried out. */
export function ambiguous(operation: string, idempotencyKey: string, cause: unknown): PosConnectorError {
  return new PosConnectorError(`${operation}: no usable reply came, so it may have been done`, {
    ...AMBIGUOUS,
    idempotencyKey,
    cause,
  })
}

const AMBIGUOUS = {
  code: 'ambiguous',
  actor: 'developer',
  fix: 'look the invoice up by its number, or read its status, before you repeat it with the same idempotencyKey',
} as const

function meaningOf(status: number, writes: boolean): Meaning {
  if (status >= 500 && status !== 503) {
    if (writes) return { ...AMBIGUOUS, what: 'the backend failed, and it may have been done' }
  }
  if (status >= 500) {
    return {
      code: 'unavailable',
      actor: 'wait',
      what: 'the backend is not available',
      fix: 'try again later',
    }
  }
  return { code: 'wrong_route', actor: 'operator', what: 'this is no route of the API', fix: CHECK_ROUTE }
}

function errorsIn(body: string): Readonly<Record<string, readonly string[]>> {
  try {
    return Invalid.safeParse(JSON.parse(body)).data?.errors ?? {}
  } catch {
    return {}
  }
}
