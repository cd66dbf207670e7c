import * as z from 'zod/mini'
import { retryAfterMs } from '../../http/retry-after.ts'
import type { AccountId } from '../../model/account-id.ts'
import { maskSecrets } from '../../model/secrets/secret.ts'
import type { HttpReply } from '../../ports/http.ts'
import type { TokenUnavailableError } from '../errors.ts'
import { unavailable } from '../unavailable.ts'

/** Characters; enough for our own sentences, and another server's text is cut. */
const LONGEST_TEXT = 400
const PLAIN_CODE = /^[a-z0-9_]{1,48}$/
/** A command in a keeper's text, by its name or its script. */
const COMMAND = /\btokenkeeper(?:\.mjs'?)? /
/** Codes for replies that no tokenkeeper made, but a proxy, a load balancer or another server. */
const CODE_OF_STATUS: Readonly<Record<number, string>> = {
  401: 'unauthenticated',
  403: 'insufficient_scope',
  404: 'unknown_account',
  429: 'too_many_requests',
  502: 'unreachable',
  503: 'unreachable',
  504: 'unreachable',
}
/** Seconds to wait after a fault of a proxy. */
const PASSING_SECONDS = 1

/** The members of a problem (RFC 9457) that the client uses. */
const Problem = z.object({
  code: z.string().check(z.regex(PLAIN_CODE)),
  detail: z.catch(z.string(), ''),
  fix: z.catch(z.optional(z.string()), undefined),
})

/** The error for a reply that is no success, with who must act. */
export function problemIn({ status, headers, body }: HttpReply, account: AccountId): TokenUnavailableError {
  const waitMs = retryAfterMs(headers['retry-after'], Date.parse(headers['date'] ?? ''))
  const retryAfterSeconds = waitMs === undefined ? undefined : Math.ceil(waitMs / 1_000)
  const problem = problemOf(body)
  if (problem) {
    const { code, detail, fix } = problem
    return unavailable(account, {
      code,
      reason: text(detail || `the REST interface answered ${status}`),
      fix: text(whereKept(fix ?? 'see tokenkeeper status')),
      retryAfterSeconds,
    })
  }
  const code = CODE_OF_STATUS[status] ?? 'response_unexpected'
  return unavailable(account, {
    code,
    reason: `the REST interface answered ${status} without saying why`,
    fix: 'check its address and what is in front of it',
    retryAfterSeconds: retryAfterSeconds ?? (code === 'unreachable' ? PASSING_SECONDS : undefined),
  })
}

/** Adds to a keeper's advice where its command has to be run: not on the machine of a REST client. */
export function whereKept(fix: string): string {
  return COMMAND.test(fix) ? `where the account is kept, ${fix}` : fix
}

function problemOf(body: string): z.output<typeof Problem> | undefined {
  try {
    return Problem.safeParse(JSON.parse(body)).data
  } catch {
    return undefined
  }
}

function text(sentence: string): string {
  return maskSecrets(sentence).slice(0, LONGEST_TEXT)
}
