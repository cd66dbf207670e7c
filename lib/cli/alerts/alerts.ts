import { text as readAll } from 'node:stream/consumers'
import { snsClient } from '../../aws/clients.ts'
import { snsNotifier } from '../../aws/sns/sns-notifier.ts'
import { confirmSubscription, type Subscription, subscriptionsOf } from '../../aws/sns/sns-subscriptions.ts'
import { findingsOf } from '../../aws/sns/subscription-findings.ts'
import type { Notice } from '../../channels/notice.ts'
import { consoleNotifier } from '../../local/console-notifier.ts'
import { ConfigurationError } from '../../model/errors.ts'
import { type Composition, compose } from '../backend/composition.ts'
import type { GlobalOptions } from '../backend/setting.ts'
import { stackTopic } from '../backend/stack-topic.ts'
import { EXIT } from '../terminal/exit-codes.ts'
import { askHidden } from '../terminal/prompts.ts'
import type { Style, Terminal } from '../terminal/terminal.ts'
import { textTable } from '../terminal/text-table.ts'
import { UsageError } from '../terminal/usage-error.ts'
import { readConfirmationLink } from './confirmation-link.ts'

const LOCAL =
  'Alerts of the local backend are printed by the command they happen in: nobody has to subscribe.'
const TEST: Notice = {
  kind: 'test',
  severity: 'info',
  title: 'Test message of Tokenkeeper',
  reason: 'somebody ran tokenkeeper alerts test',
  action: 'nothing; this is where you are asked when an account needs you',
}
const STYLES: Readonly<Record<Subscription['state'], Style>> = {
  protected: 'green',
  unprotected: 'yellow',
  pending: 'yellow',
  removed: 'dim',
}

/** `tokenkeeper alerts list`: who gets alerts, how safely, and what is wrong with it. Throws ConfigurationError. */
export function listSubscriptions(options: GlobalOptions, terminal: Terminal): Promise<number> {
  return composed(options, terminal, async (composition) => {
    if (composition.backend === 'local') return told(terminal, LOCAL, { subscriptions: [], findings: [] })
    const topicArn = await stackTopic(composition)
    const subscriptions = await subscriptionsOf(topicArn, await snsClient())
    const findings = findingsOf(topicArn, subscriptions, composition.config.alertEmails)
    const table = textTable(
      ['Subscriber', 'By', 'State'],
      subscriptions.map(({ endpoint, protocol, state }) => [
        endpoint,
        protocol,
        { text: state, style: STYLES[state] },
      ]),
      terminal,
    )
    const words = findings.map(({ says, fix }) => `${says}\n  ${terminal.style('bold', 'fix:')} ${fix}`)
    return told(terminal, [...(subscriptions.length > 0 ? [table] : []), ...words].join('\n\n'), {
      topic: topicArn,
      subscriptions: subscriptions.map(shown),
      findings,
    })
  })
}

/**
 * `tokenkeeper alerts confirm`: confirms a subscription so that no unsubscribe link can end it. The link is an argument
 * or read like a secret, from a hidden prompt or from stdin: its token works for whoever has it until it is used.
 * Throws UsageError, ConfigurationError.
 */
export async function confirmAlerts(
  link: string | undefined,
  options: GlobalOptions,
  terminal: Terminal,
): Promise<number> {
  return composed(options, terminal, async (composition) => {
    if (composition.backend === 'local') {
      throw new ConfigurationError('the local backend has no subscriptions to confirm', {
        fix: 'add --backend aws, or set "backend": "aws" in cdk.json',
      })
    }
    const { env } = composition
    const { topicArn, token } = readConfirmationLink(
      link ?? (await typedLink()),
      env['AWS_ENDPOINT_URL_SNS'] || env['AWS_ENDPOINT_URL'],
    )
    const own = await stackTopic(composition)
    if (topicArn !== own) {
      throw new UsageError(
        `this link is of another topic than ${own}`,
        'check the region, --config and the stackName',
      )
    }
    const { arn, state } = await confirmSubscription(own, token, await snsClient())
    if (state === 'protected') {
      return told(terminal, 'Confirmed: only somebody with rights in AWS can end this subscription.', {
        subscription: { arn, state },
      })
    }
    throw new ConfigurationError(
      `the subscription is confirmed but ${state}: its link was opened before, by a person or a mail scanner`,
      { fix: 'run tokenkeeper alerts list, which says how to subscribe again' },
    )
  })
}

/** `tokenkeeper alerts test`: sends a message to everybody who would get an alert. Throws NotificationError. */
export function testAlerts(options: GlobalOptions, terminal: Terminal): Promise<number> {
  return composed(options, terminal, async (composition) => {
    if (composition.backend === 'local') {
      await consoleNotifier((text) => terminal.note(text.trimEnd())).announce(TEST)
      return told(terminal, LOCAL, { reaches: [] })
    }
    const topicArn = await stackTopic(composition)
    await snsNotifier({ topicArn }).announce(TEST)
    const subscriptions = await subscriptionsOf(topicArn, await snsClient())
    const reached = subscriptions.filter(({ arn }) => arn !== undefined)
    const names = reached.map(({ endpoint, protocol }) => `${endpoint} (${protocol})`)
    const sentence =
      names.length > 0
        ? `Sent. It should soon be with ${names.join(', ')}.`
        : 'Sent, but nobody gets it: there is no confirmed subscription. See tokenkeeper alerts list.'
    told(terminal, sentence, { topic: topicArn, reaches: reached.map(shown) })
    return names.length > 0 ? EXIT.ok : EXIT.configuration
  })
}

function shown({ protocol, endpoint, state, arn }: Subscription) {
  return { protocol, endpoint, state, ...(arn !== undefined && { arn }) }
}

function told(terminal: Terminal, sentence: string, details: Readonly<Record<string, unknown>>): number {
  if (terminal.json) terminal.object({ success: true, ...details })
  else terminal.print(sentence)
  return EXIT.ok
}

/** As `put` reads a value. */
async function typedLink(): Promise<string> {
  return process.stdin.isTTY
    ? askHidden('The link of the confirmation mail (copy it, do not open it)')
    : readAll(process.stdin)
}

async function composed(
  options: GlobalOptions,
  terminal: Terminal,
  work: (composition: Composition) => Promise<number>,
): Promise<number> {
  const composition = await compose(options, terminal)
  try {
    return await work(composition)
  } finally {
    await composition.close()
  }
}
