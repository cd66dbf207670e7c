import { maskedEndpoint, type Subscription } from './sns-subscriptions.ts'

/** Something that keeps alerts from people now, or soon may. */
export interface SubscriptionFinding {
  readonly problem: 'missing' | 'pending' | 'unprotected'
  readonly says: string
  /** One imperative sentence without a full stop. */
  readonly fix: string
}

/** Protocols that reach a person. A queue or a function may pass alerts on, but that is not known here. */
const REACHING_PEOPLE: ReadonlySet<string> = new Set([
  'email',
  'email-json',
  'http',
  'https',
  'sms',
  'application',
])
const CONFIRM = 'copy the link of its mail without opening it, and run tokenkeeper alerts confirm'

/**
 * What is wrong with a topic's subscriptions. `configuredEmails` are the addresses that the stack subscribes.
 * Pure.
 */
export function findingsOf(
  topicArn: string,
  subscriptions: readonly Subscription[],
  configuredEmails: readonly string[] = [],
): readonly SubscriptionFinding[] {
  const there = subscriptions.filter(({ state }) => state !== 'removed')
  const absent = configuredEmails.filter((email) => !there.some((one) => isMailTo(email, one)))
  const pending = there.filter(({ state }) => state === 'pending')
  const subscribe = `aws sns subscribe --topic-arn ${topicArn} --protocol email --notification-endpoint ADDRESS`
  const again = `run ${subscribe}, then ${CONFIRM}`
  const findings: SubscriptionFinding[] = []

  if (!there.some(({ protocol, state }) => state !== 'pending' && REACHING_PEOPLE.has(protocol))) {
    findings.push({
      problem: 'missing',
      says: 'nobody is told: no mail, https, SMS or push subscription is confirmed',
      fix: pending.length + absent.length > 0 ? 'mend the subscriptions named with this' : again,
    })
  }
  for (const email of absent) {
    // A deploy does not subscribe it again, since CloudFormation takes it to be still there.
    const says = `${maskedEndpoint('email', email)} is in alertEmails but not subscribed: SNS drops what nobody confirms within 48 hours, and what an unsubscribe link was opened for`
    findings.push({ problem: 'missing', says, fix: again })
  }
  for (const { protocol, endpoint } of pending) {
    findings.push({
      problem: 'pending',
      says: `${endpoint} has not confirmed its subscription, and SNS drops it 48 hours after it was made`,
      fix: protocol.startsWith('email') ? CONFIRM : `let ${endpoint} confirm its ${protocol} subscription`,
    })
  }
  for (const { protocol, endpoint, arn, state } of there) {
    // A web hook is read by one machine, whose owner used that same link to confirm it.
    if (state !== 'unprotected' || !protocol.startsWith('email')) continue
    findings.push({
      problem: 'unprotected',
      says: `${endpoint} is unsubscribed by whoever opens the link below a message, a mail scanner for one`,
      fix: `run aws sns unsubscribe --subscription-arn ${arn} and ${subscribe}, then ${CONFIRM}`,
    })
  }
  return findings
}

function isMailTo(email: string, { protocol, address }: Subscription): boolean {
  return protocol.startsWith('email') && address.reveal().toLowerCase() === email.toLowerCase()
}
