import { Temporal } from 'temporal-polyfill'
import { en } from 'zod/locales'
import * as z from 'zod/mini'
import { type AccountId, brokerOf, parseAccountId } from '../../../lib/model/account-id.ts'
import type { ReportedToken } from '../../../lib/model/account-state.ts'
import { ConfigurationError } from '../../../lib/model/errors.ts'
import type { Broker } from '../../../lib/ports/broker/broker.ts'

// The small edition of zod has no messages of its own, and people read what is wrong with their event.
z.config(en())

/** More follow-ups than any run needs; an endless chain is stopped here. */
export const MOST_CONTINUATIONS = 100

const RefreshEvent = z.strictObject({
  accounts: z.optional(z.array(z.string()).check(z.minLength(1))),
  force: z._default(z.boolean(), false),
  /** The broker refused a consumer with this token; for an event about one account. */
  refused: z.optional(
    z.union([
      z.strictObject({ generation: z.int().check(z.gte(0)) }),
      z.strictObject({ version: z.int().check(z.gte(0)) }),
    ]),
  ),
  /** Whether a program waits for the reply; the run is kept short then. */
  awaited: z._default(z.boolean(), false),
  /** Why somebody asked, for the log. */
  reason: z.optional(z.string().check(z.maxLength(200))),
  /** Set by a follow-up: when a person forced the run, so that no account is forced twice. */
  forcedAt: z.optional(z.iso.datetime({ offset: true })),
  /** Set by a follow-up: how many invocations of this run came before. */
  continuation: z._default(z.int().check(z.gte(0), z.lte(MOST_CONTINUATIONS)), 0),
  /** Set by a follow-up of a run over the whole registry: how many accounts it has left without success so far. */
  unsuccessful: z.optional(z.int().check(z.gte(0))),
})

/** What one invocation is asked to do. */
export interface Order {
  /** The accounts to work on; `undefined` for every registered account. */
  readonly accounts: readonly AccountId[] | undefined
  readonly forcedAt: Temporal.Instant | undefined
  readonly refused: ReportedToken | undefined
  readonly awaited: boolean
  readonly reason: string | undefined
  readonly continuation: number
  /** Accounts that earlier invocations of a run over the whole registry left without success; absent for named accounts. */
  readonly unsuccessful: number | undefined
}

const SHAPE = '{} or { "accounts": ["iifl/28748327"], "force": true, "reason": "manual" }'

/** Whether an event asks for one step of a login (login-event.ts) and not for a run. */
export function isLoginEvent(event: unknown): boolean {
  return typeof event === 'object' && event !== null && 'login' in event
}

/** Whether an event asks for work on one token (token-event.ts) and not for a run. */
export function isTokenEvent(event: unknown): boolean {
  return typeof event === 'object' && event !== null && ('adopt' in event || 'validate' in event)
}

/**
 * Reads a Lambda event; no event means `{}`. `now` dates a forced run. Throws ConfigurationError, which says
 * what is allowed; also for an account of another broker, which this function's role cannot reach anyway.
 */
export function readEvent(broker: Broker, event: unknown, now: Temporal.Instant): Order {
  const parsed = RefreshEvent.safeParse(event ?? {})
  if (!parsed.success) {
    const mistakes = parsed.error.issues.map(({ path, message }) =>
      [path.join('.'), message].filter(Boolean).join(': '),
    )
    throw new ConfigurationError(`this event cannot be understood: ${mistakes.join('; ')}`, {
      fix: `send ${SHAPE}`,
    })
  }
  const { accounts, force, refused, awaited, reason, forcedAt, continuation, unsuccessful } = parsed.data
  const ids = accounts?.map(parseAccountId)
  const stranger = ids?.find((id) => brokerOf(id) !== broker.id)
  if (stranger !== undefined) {
    throw new ConfigurationError(`${stranger} is no account of ${broker.id}`, {
      fix: `invoke the function of ${brokerOf(stranger)}; this one serves ${broker.id} only`,
    })
  }
  if (refused && ids?.length !== 1) {
    throw new ConfigurationError('a report of a refused token must name its one account', {
      fix: `send { "accounts": ["${broker.id}"], "refused": { "generation": 7 } }`,
    })
  }
  return {
    refused,
    awaited,
    accounts: ids && [...new Set(ids)],
    forcedAt: forcedAt !== undefined ? Temporal.Instant.from(forcedAt) : force ? now : undefined,
    reason,
    continuation,
    unsuccessful: ids ? unsuccessful : 0,
  }
}
