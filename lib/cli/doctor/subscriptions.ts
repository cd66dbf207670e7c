import { snsClient } from '../../aws/clients.ts'
import { subscriptionsOf } from '../../aws/sns/sns-subscriptions.ts'
import { findingsOf } from '../../aws/sns/subscription-findings.ts'
import { TokenkeeperError } from '../../model/errors.ts'
import { type Finding, fail, pass, warn } from './finding.ts'

/** Whether alerts reach somebody, and will tomorrow. Where nobody hears them, nothing else here is worth much. */
export async function subscriptionFindings(
  topicArn: string,
  configuredEmails: readonly string[],
): Promise<readonly Finding[]> {
  try {
    const subscriptions = await subscriptionsOf(topicArn, await snsClient())
    const findings = findingsOf(topicArn, subscriptions, configuredEmails)
    const reached = subscriptions.filter(({ arn }) => arn !== undefined)
    if (findings.length === 0) {
      return [
        pass(
          'alerts',
          `reach ${reached.map(({ endpoint, protocol }) => `${endpoint} (${protocol})`).join(', ')}`,
        ),
      ]
    }
    return findings.map(({ problem, says, fix }) =>
      problem === 'missing' ? fail('alerts', says, fix) : warn('alerts', says, fix),
    )
  } catch (error) {
    if (!(error instanceof TokenkeeperError)) throw error
    return [fail('alerts', error.message, error.fix)]
  }
}
