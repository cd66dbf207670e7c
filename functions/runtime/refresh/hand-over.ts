import { FollowUpError } from '../../../lib/model/errors.ts'
import type { FollowUp } from '../../../lib/ports/follow-up.ts'
import type { Run } from '../../../lib/tokens/refresh/run.ts'
import { MOST_CONTINUATIONS, type Order } from './event.ts'

/**
 * Hands the accounts a run had no time for to the next invocation. Throws FollowUpError where they have to
 * wait for the next schedule; the error contains the report's message, since it is all the caller gets.
 */
export async function handOver(
  order: Order,
  { report, remaining }: Run,
  unsuccessful: number | undefined,
  followUp: FollowUp,
): Promise<void> {
  const left = `${remaining.length} accounts were not reached (${report.message})`
  if (order.continuation >= MOST_CONTINUATIONS) {
    throw new FollowUpError(
      `${left} and this is follow-up number ${order.continuation}: the chain ends here`,
      {
        fix: 'give the broker a longer timeoutMinutes or a shorter pacingSeconds in cdk.json, and deploy',
      },
    )
  }
  try {
    await followUp.handOver({
      accounts: remaining,
      forcedAt: order.forcedAt,
      continuation: order.continuation + 1,
      unsuccessful,
    })
  } catch (cause) {
    if (!(cause instanceof FollowUpError)) throw cause
    throw new FollowUpError(`${left} and could not be handed over: ${cause.message}`, {
      fix: cause.fix,
      cause,
    })
  }
}
