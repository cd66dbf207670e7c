import { randomUUID } from 'node:crypto'
import type { Temporal } from 'temporal-polyfill'
import { type AccountId, brokerOf } from '../../model/account-id.ts'
import type { AccountState } from '../../model/account-state.ts'
import { RateLimitedError } from '../../model/errors.ts'
import { expiryOf } from '../../model/expiry/session-model.ts'
import { type AccountResult, type RunReport, report } from '../../model/outcome.ts'
import { isAfter, isBefore } from '../../model/time/instants.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { Ports } from '../../ports/ports.ts'
import type { AdoptOrder, RefreshOrder, ServiceRefusal, TokenService } from '../../ports/token-service.ts'
import { runBroker } from '../refresh/run.ts'
import { refusalOf } from '../rules/outcome/request-refused.ts'
import { switchedOn } from '../rules/outcome/switched-on.ts'
import { adoptAccessToken } from './adopt.ts'
import { readPublished } from './read-published.ts'
import { validateAccessToken } from './validate.ts'

/**
 * Seconds for one part of a run that somebody waits for: a passing fault is tried again for half a minute,
 * then reported.
 */
const LEG_SECONDS = 75
/** Expiries that differ by less are taken to be equal: clocks differ, and expiries are rounded. */
const AGE_TOLERANCE_SECONDS = 60

const EXPIRED: ServiceRefusal = {
  refused: true,
  code: 'grant_rejected',
  reason: 'the access token has expired; nothing was changed',
  fix: 'hand in one that is live',
}
const OLDER: ServiceRefusal = {
  refused: true,
  code: 'older_token',
  reason: 'the published access token lives longer than this one; nothing was changed',
  fix: 'hand in the newest token, or let an administrator force this one',
}

export interface TokenServiceOptions {
  /** The brokers whose accounts are looked after here, with the owner's settings. */
  readonly brokers: readonly Broker[]
  readonly ports: Ports
}

/**
 * The token service that works in this process. Errors are returned as refusals; only {@link
 * TokenService.readToken} throws, what the stores throw and RequestRefusedError for a broker that is not
 * switched on.
 */
export function tokenService({ brokers, ports }: TokenServiceOptions): TokenService {
  const named = (id: string): Broker => switchedOn(brokers, id)
  const guarded = async <T>(subject: string, work: () => Promise<T>): Promise<T | ServiceRefusal> => {
    try {
      return await work()
    } catch (error) {
      const refusal = serviceRefusalOf(error, subject)
      const { code, reason } = refusal
      ports.telemetry.warn('a request about tokens was refused', { account: subject, code, reason })
      return refusal
    }
  }
  return {
    refresh: (order) => guarded(order.broker, () => refresh(order, named(order.broker), ports)),
    adopt: (order) => guarded(order.account, () => adopt(order, named(brokerOf(order.account)), ports)),
    validate: ({ account }) =>
      guarded(account, () => validateAccessToken(named(brokerOf(account)), account, ports)),
    readToken: (account) => readPublished(named(brokerOf(account)), account, ports),
  }
}

/** The refusal that an error is reported as, with the seconds to wait where the broker has throttled us. */
export function serviceRefusalOf(error: unknown, subject: string): ServiceRefusal {
  const refusal = refusalOf(error, subject) as ServiceRefusal
  if (!(error instanceof RateLimitedError)) return refusal
  return { ...refusal, retryAfterSeconds: Math.ceil(error.retryAfterSeconds) }
}

async function refresh(order: RefreshOrder, broker: Broker, ports: Ports): Promise<RunReport> {
  const results: AccountResult[] = []
  let accounts: readonly AccountId[] | undefined = order.accounts
  for (;;) {
    const run = await runBroker(
      {
        broker,
        accounts,
        reported: order.reported,
        forcedAt: order.forcedAt,
        owner: `request/${randomUUID()}`,
        hardDeadline: ports.clock.now().add({ seconds: LEG_SECONDS }),
      },
      ports,
    )
    results.push(...run.report.results)
    if (run.remaining.length === 0) {
      return { ...report(results), ...(results.length === 0 && { message: run.report.message }) }
    }
    accounts = run.remaining
  }
}

async function adopt(
  order: AdoptOrder,
  broker: Broker,
  ports: Ports,
): Promise<AccountResult | ServiceRefusal> {
  const { account, accessToken, expiresAt } = order
  const now = ports.clock.now()
  const objection = objectionTo(order, broker, await ports.states.get(account), now)
  if (objection) return objection
  return adoptAccessToken({ broker, account, accessToken, expiresAt }, ports)
}

/** What speaks against a token before the broker is asked; `undefined` when nothing does. */
function objectionTo(
  { accessToken, expiresAt, replaceNewer }: AdoptOrder,
  broker: Broker,
  state: AccountState | undefined,
  now: Temporal.Instant,
): ServiceRefusal | undefined {
  const issued = { token: accessToken, at: now, expiresAt }
  const ceiling = state?.settings.maxLifetimeHours ?? broker.session.maxLifetimeHours
  const ends = expiryOf(broker.session.accessToken, issued, ceiling).expiresAt
  if (!isAfter(ends, now)) return EXPIRED
  const published = state?.accessToken
  if (replaceNewer || !published || state.refusedVersion === published.version) return undefined
  const isLive = isAfter(published.expiresAt, now)
  const latest = ends.add({ seconds: AGE_TOLERANCE_SECONDS })
  // Most likely yesterday's token, handed in again by mistake (lib/brokers/upstox/README.md, Mirror).
  return isLive && isBefore(latest, published.expiresAt) ? OLDER : undefined
}
