import type { Temporal } from 'temporal-polyfill'
import { sessionOf } from '../../markets/session.ts'
import type { AccountId } from '../../model/account-id.ts'
import { type AccountState, isRefused, newAccountState } from '../../model/account-state.ts'
import { type AccountResult, type RunReport, report } from '../../model/outcome.ts'
import { isBefore } from '../../model/time/instants.ts'
import { localInstant } from '../../model/time/local-time.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { Ports } from '../../ports/ports.ts'
import { reportLine } from '../../tokens/rules/outcome/report-line.ts'
import { wantsProof, whetherDue } from '../../tokens/rules/token/due.ts'
import { isProvenNow } from '../../tokens/rules/token/proven-now.ts'
import type { AwsFunctions } from './aws-functions.ts'
import type { RunOrder } from './setting.ts'

const POLL_MS = 5_000
/** A follow-up invocation lasts at most as long as Lambda allows; a chain of them is watched for two such spans. */
const LONGEST_WATCH_MINUTES = 30

/**
 * A run on AWS: the broker's function does it, so that only one process writes. It reports on what it did in a minute,
 * since no connection is sure to last longer, and hands the rest to follow-up invocations; those accounts are watched
 * through their state records, and so are all of them where the report is lost. Throws ConfigurationError when the
 * function cannot be invoked, StateStoreError when the records cannot be read.
 */
export async function awsRun(order: RunOrder, functions: AwsFunctions, ports: Ports): Promise<RunReport> {
  const { broker } = order.broker
  const startedAt = ports.clock.now()
  for (const account of order.accounts ?? []) order.onProgress?.({ event: 'started', account, attempt: 1 })
  const first = await functions.invoke(broker.id, {
    ...(order.accounts && { accounts: order.accounts }),
    ...(order.forcedAt && { force: true }),
    awaited: true,
    reason: 'manual',
  })
  const tell = (result: AccountResult): void => {
    order.onProgress?.({ event: 'finished', account: result.account, result })
  }
  first?.results.forEach(tell)
  if (first?.handedOver === 0) return first
  const results = first?.results ?? []
  const done = new Set(results.map(({ account }) => account))
  const others = await otherAccounts(order, done, ports)
  const followed = await followUps(
    broker,
    others,
    { startedAt, forced: order.forcedAt !== undefined, tell },
    ports,
  )
  return report([...results, ...followed.results], followed.unfinished)
}

async function otherAccounts(order: RunOrder, done: ReadonlySet<AccountId>, { states }: Ports) {
  const accounts = [...(order.accounts ?? [])]
  if (order.accounts === undefined) {
    for await (const { account } of states.list(order.broker.broker.id)) accounts.push(account)
  }
  return accounts.filter((account) => !done.has(account))
}

interface Watch {
  readonly startedAt: Temporal.Instant
  readonly forced: boolean
  readonly tell: (result: AccountResult) => void
}

/** Waits until each account's record shows that a run has dealt with it since the start. */
async function followUps(
  broker: Broker,
  accounts: readonly AccountId[],
  watch: Watch,
  { states, clock }: Pick<Ports, 'states' | 'clock'>,
): Promise<{ readonly results: readonly AccountResult[]; readonly unfinished: number }> {
  const results: AccountResult[] = []
  const waiting = new Set(accounts)
  const until = watch.startedAt.add({ minutes: LONGEST_WATCH_MINUTES })
  while (waiting.size > 0 && isBefore(clock.now(), until)) {
    for (const account of waiting) {
      const state = (await states.get(account)) ?? newAccountState(account)
      const result = resultSince(broker, state, watch, clock.now())
      if (!result) continue
      waiting.delete(account)
      results.push(result)
      watch.tell(result)
    }
    if (waiting.size > 0) await clock.sleep(POLL_MS)
  }
  return { results, unfinished: waiting.size }
}

/** A run writes what it did; where it finds nothing to do it writes nothing, and the record itself says so. */
function resultSince(
  broker: Broker,
  state: AccountState,
  { startedAt, forced }: Watch,
  now: Temporal.Instant,
): AccountResult | undefined {
  if (state.settings.managedBy === 'external') {
    return reportLine(broker, state, { outcome: 'skipped', reason: 'this account is managed elsewhere' }, now)
  }
  if (state.paused) {
    const since = localInstant(state.paused.since, broker.session.timeZone)
    return reportLine(broker, state, { outcome: 'paused', reason: `paused since ${since}` }, now)
  }
  const { last, accessToken } = state
  if (last && !isBefore(last.at, startedAt) && !state.lease) {
    return reportLine(broker, state, last, now)
  }
  if (forced || !accessToken || state.lease || hasToBeSettled(state, now)) return undefined
  if (wantsProof(accessToken, broker, state, now)) return undefined
  const session = sessionOf(broker, state.settings)
  const due = whetherDue(accessToken, broker.session, state.settings, now, session)
  return due.due ? undefined : reportLine(broker, state, { outcome: 'fresh', reason: due.reason }, now)
}

/** Whether the run that is waited for has something to find out, or to publish, that it then writes down. */
function hasToBeSettled(state: AccountState, now: Temporal.Instant): boolean {
  const { accessToken, doubt, pending } = state
  if (pending || isRefused(state)) return true
  return doubt !== undefined && accessToken !== undefined && !isProvenNow(accessToken, now)
}
