import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { TokenkeeperError } from '../model/errors.ts'
import type { AccountResult } from '../model/outcome.ts'
import type { ServiceRefusal } from '../ports/token-service.ts'
import { forAccount } from '../tokens/rules/outcome/advice.ts'

/** Status and title of every problem (RFC 9457); programs go by the code. */
const PROBLEMS = {
  malformed_request: [400, 'The body is not JSON'],
  unauthenticated: [401, 'No API key was presented'],
  key_unknown: [401, 'The API key is not known'],
  key_expired: [401, 'The API key has expired'],
  key_revoked: [401, 'The API key was revoked'],
  insufficient_scope: [403, 'The API key lacks a scope'],
  not_found: [404, 'There is no such path'],
  unknown_account: [404, 'There is no such account'],
  no_accounts: [404, 'There is no account'],
  awaiting_login: [409, 'A person must log in'],
  configuration_invalid: [409, 'The set-up does not allow it'],
  client_rejected: [409, 'The broker refuses the app'],
  human_action: [409, 'A person must act at the broker'],
  grant_rejected: [409, 'The broker refused'],
  wrong_account: [409, 'The token belongs to somebody else'],
  token_lost: [409, 'A new token could not be saved'],
  body_too_large: [413, 'The body is too large'],
  unsupported_media_type: [415, 'The body must be JSON'],
  invalid_request: [422, 'The body does not fit'],
  older_token: [422, 'The access token is older than the published one'],
  rate_limited: [429, 'The broker allows no more'],
  too_many_requests: [429, 'Too many requests'],
  internal: [500, 'Something unforeseen happened'],
  response_unexpected: [502, 'The broker’s reply was not understood'],
  no_token: [503, 'There is no access token yet'],
  busy: [503, 'Another run is at work on the account'],
  broker_unavailable: [503, 'The broker could not be reached'],
  ambiguous: [503, 'The broker’s reply was lost'],
  vault_read: [503, 'The storage could not be read'],
  vault_write: [503, 'The storage could not be written'],
  state: [503, 'The storage did not answer'],
  notify_failed: [503, 'A message could not be sent'],
  subscriber_failed: [503, 'A mirror could not be written'],
  follow_up_failed: [503, 'A later step could not be started'],
} as const satisfies Record<string, readonly [ContentfulStatusCode, string]>

export type ProblemCode = keyof typeof PROBLEMS

export const PROBLEM_CODES = Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]
export const PROBLEM_TYPE = 'application/problem+json'
/** Seconds a client should wait where the time is not known. */
const RETRY_AFTER_SECONDS = 30

export interface ProblemDetails {
  /** @default - that of the code */
  readonly status?: ContentfulStatusCode
  readonly fix?: string | undefined
  readonly retryAfterSeconds?: number | undefined
  readonly headers?: Readonly<Record<string, string>>
  /** The fields of the body that are wrong, and what is wrong with them. */
  readonly errors?: readonly { readonly field: string; readonly message: string }[]
  /** Further members of the reply (RFC 9457 section 3.2). */
  readonly more?: Readonly<Record<string, unknown>>
}

/** Ends a request with a problem. Its texts are safe to show to the caller. */
export class RestProblem extends Error {
  readonly code: ProblemCode
  readonly details: ProblemDetails

  constructor(code: ProblemCode, detail: string, details: ProblemDetails = {}) {
    super(detail)
    this.name = 'RestProblem'
    this.code = code
    this.details = details
  }

  get status(): ContentfulStatusCode {
    return this.details.status ?? PROBLEMS[this.code][0]
  }
}

/** The problem for a path or a method that no route has. */
export function noSuchPath(): RestProblem {
  return new RestProblem('not_found', 'there is no such path, or not by this method', {
    fix: 'look at /docs, or at lib/rest/README.md',
  })
}

/**
 * The problem that an error is reported as. Of an unforeseen error the caller is told only the request's id.
 */
export function problemOf(error: unknown): RestProblem {
  if (error instanceof RestProblem) return error
  if (error instanceof TokenkeeperError) {
    return new RestProblem(error.code, error.message, { fix: forAccount(error.fix, undefined) })
  }
  if (error instanceof HTTPException && error.status === 400) {
    return new RestProblem('malformed_request', 'the body could not be read as JSON', {
      fix: 'send one JSON object',
    })
  }
  if (error instanceof HTTPException && error.status === 415) {
    return new RestProblem('unsupported_media_type', 'the body is of another type than JSON', {
      fix: 'send Content-Type: application/json',
    })
  }
  return new RestProblem('internal', 'an unforeseen fault; nothing is known to have changed', {
    fix: 'try again; if it happens again, report it with the instance',
  })
}

/** The problem that a refusal of the service is reported as. */
export function problemOfRefusal({ code, reason, fix, retryAfterSeconds }: ServiceRefusal): RestProblem {
  // A busy account was answered with 429 before it had its own code, and programs rely on that.
  return new RestProblem(code, reason, { fix, retryAfterSeconds, ...(code === 'busy' && { status: 429 }) })
}

/** The problem for an account that a run left without what was asked for. */
export function problemOfResult(result: AccountResult): RestProblem {
  const { userID, clientName, tokenValidity, account, outcome } = result
  const needsLogin = outcome === 'awaiting_login' || result.loginHelpsFrom !== undefined
  const code = needsLogin ? 'awaiting_login' : (result.code ?? 'ambiguous')
  return new RestProblem(code, result.reason, {
    fix: result.nextAction,
    // The fields that programs of the guide read from every reply (R0.6).
    more: { success: false, message: result.reason, account, outcome, userID, clientName, tokenValidity },
  })
}

/** The reply to a problem (RFC 9457), with the request's id as the instance. */
export function problemResponse(context: Context, problem: RestProblem): Response {
  const { code, status, message, details } = problem
  const requestId: string = context.get('requestId') ?? crypto.randomUUID()
  context.header('x-request-id', requestId)
  context.header('content-type', PROBLEM_TYPE)
  for (const [name, value] of Object.entries(details.headers ?? {})) context.header(name, value)
  if (status === 429 || status === 503) {
    context.header('retry-after', String(Math.max(1, details.retryAfterSeconds ?? RETRY_AFTER_SECONDS)))
  }
  const body = {
    type: `urn:tokenkeeper:problem:${code}`,
    title: PROBLEMS[code][1],
    status,
    detail: message,
    instance: requestId,
    code,
    ...(details.fix ? { fix: details.fix } : {}),
    ...(details.errors && { errors: details.errors }),
    ...details.more,
  }
  return context.body(JSON.stringify(body), status)
}
