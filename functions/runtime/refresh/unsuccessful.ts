import type { ErrorCode } from '../../../lib/model/errors.ts'
import { type AccountResult, isUnsuccessful } from '../../../lib/model/outcome.ts'
import type { Broker } from '../../../lib/ports/broker/broker.ts'
import type { Ports } from '../../../lib/ports/ports.ts'
import type { Run } from '../../../lib/tokens/refresh/run.ts'
import type { FunctionComposition } from '../composition.ts'
import type { Order } from './event.ts'
import { countNoneLeft } from './none-left.ts'

/** A run that comes this soon may mend by itself what one run could not do. */
const NEAR_MINUTES = 60
/** Where the account's record or secrets could not be read, no record says whether it was so before. */
const WITHOUT_RECORD: readonly (ErrorCode | undefined)[] = ['vault_read', 'state']

/**
 * Counts what the broker's alarm is on: accounts that a run has left without success, and that no run will mend soon.
 * An account counts when two runs in a row have failed for it, or at once where the next run is far, as after the last
 * one of the morning or on a Saturday.
 *
 * The alarm ends when none is counted, so a zero is sent only by a run over the whole registry, at the end of its last
 * invocation, or when an account that had failed is mended and no other is on record as failed: a good run over one
 * account says nothing of the others.
 *
 * Gives what a follow-up has to add its own to; `undefined` for a run over named accounts.
 */
export async function countUnsuccessful(
  order: Order,
  run: Run,
  composition: FunctionComposition,
): Promise<number | undefined> {
  const { broker, ports } = composition
  const counted = await unmended(broker, run, ports)
  const earlier = order.unsuccessful
  if (earlier === undefined) {
    if (counted > 0) ports.telemetry.count('Unsuccessful', broker.id, counted)
    else if (
      run.report.results.some(({ account, success }) => success && run.unsuccessfulBefore.has(account))
    )
      await countNoneLeft(broker, ports)
    return undefined
  }
  const soFar = earlier + counted
  if (soFar > 0 || run.remaining.length === 0) ports.telemetry.count('Unsuccessful', broker.id, soFar)
  return soFar
}

async function unmended(
  broker: Broker,
  { report, unsuccessfulBefore }: Run,
  { clock }: Ports,
): Promise<number> {
  // Passed over because somebody else holds it: whether it is mended, that one will know.
  const isPassedOver = ({ outcome, loginHelpsFrom, account }: AccountResult): boolean =>
    outcome === 'skipped' && !loginHelpsFrom && unsuccessfulBefore.has(account)
  const failed = report.results.filter((one) => isUnsuccessful(one.outcome) || isPassedOver(one))
  if (failed.length === 0) return 0
  // Read when something failed: most runs have no use for what reads schedules.
  const { isRunNear } = await import('../on-demand.ts')
  if (!isRunNear(broker, clock.now().epochMilliseconds, NEAR_MINUTES)) return failed.length
  return failed.filter(
    ({ account, code }) => unsuccessfulBefore.has(account) || WITHOUT_RECORD.includes(code),
  ).length
}
