import {
  ConfirmSubscriptionCommand,
  GetSubscriptionAttributesCommand,
  paginateListSubscriptionsByTopic,
  type SNSClient,
  type Subscription as SnsSubscription,
} from '@aws-sdk/client-sns'
import { ConfigurationError } from '../model/errors.ts'
import { Secret } from '../model/secret.ts'
import { awsFault } from './aws-fault.ts'

/**
 * `protected`: only who has rights in AWS can remove it. `unprotected`: whoever opens the unsubscribe link of a message
 * can, and mail scanners open links. `pending`: SNS waits 48 hours for its confirmation. `removed`: SNS keeps the memory
 * of it for up to 72 hours.
 */
export type SubscriptionState = 'protected' | 'unprotected' | 'pending' | 'removed'

/** Who gets what a topic publishes. */
export interface Subscription {
  /** SNS' word: email, sqs, https and so on. */
  readonly protocol: string
  /** Enough to recognise one's own: `a…@example.invalid`. */
  readonly endpoint: string
  /** The whole of it, to compare: a mail address is a person's, and a web hook's may hold a key. */
  readonly address: Secret
  /** Absent while it is pending and once it is removed. */
  readonly arn?: string
  readonly state: SubscriptionState
}

/** What ListSubscriptionsByTopic writes in place of an ARN. */
const REMOVED = 'Deleted'
/** Whoever reads their messages finds an unsubscribe link there; the others need IAM, or the telephone itself. */
const WITH_A_LINK: ReadonlySet<string> = new Set(['email', 'email-json', 'http', 'https'])

/** All subscriptions of a topic. Throws ConfigurationError when they cannot be read. */
export async function subscriptionsOf(topicArn: string, client: SNSClient): Promise<readonly Subscription[]> {
  const found: Subscription[] = []
  for (const listed of await listedBy(topicArn, client)) {
    const { Protocol: protocol = '', Endpoint: endpoint = '', SubscriptionArn: arn = '' } = listed
    const state = await stateOf(listed, topicArn, client)
    if (state === undefined) continue
    found.push({
      protocol,
      endpoint: maskedEndpoint(protocol, endpoint),
      // Of all addresses only a web hook's opens something for whoever has it.
      address: new Secret(endpoint, { masked: protocol.startsWith('http') }),
      ...(state !== 'pending' && state !== 'removed' && { arn }),
      state,
    })
  }
  return found
}

/**
 * Confirms a subscription with the token of its confirmation mail, so that removing it takes a signed call, and looks
 * whether that is how it stands: `unprotected` means that somebody, or a mail scanner, had opened the link before.
 * Throws ConfigurationError when SNS does not take the token.
 */
export async function confirmSubscription(
  topicArn: string,
  token: Secret,
  client: SNSClient,
): Promise<{ readonly arn: string; readonly state: SubscriptionState }> {
  const command = new ConfirmSubscriptionCommand({
    TopicArn: topicArn,
    Token: token.reveal(),
    AuthenticateOnUnsubscribe: 'true',
  })
  const { SubscriptionArn: arn = '' } = await asked('ConfirmSubscription', topicArn, client.send(command), {
    InvalidParameterException:
      'take the link of the newest confirmation mail, which is good for two days; if there is none, run tokenkeeper alerts list',
    // SNS' words for "already confirmed" as well as for a missing right.
    AuthorizationErrorException: `run tokenkeeper alerts list: the link may have been opened before; else allow sns:ConfirmSubscription on topic ${topicArn}`,
  })
  const state = await stateOf({ SubscriptionArn: arn, Protocol: 'email' }, topicArn, client)
  return { arn, state: state ?? 'removed' }
}

async function listedBy(topicArn: string, client: SNSClient): Promise<readonly SnsSubscription[]> {
  const listed: SnsSubscription[] = []
  const reading = async (): Promise<void> => {
    for await (const page of paginateListSubscriptionsByTopic({ client }, { TopicArn: topicArn })) {
      listed.push(...(page.Subscriptions ?? []))
    }
  }
  await asked('ListSubscriptionsByTopic', topicArn, reading())
  return listed
}

/**
 * SNS' word on how a subscription was confirmed is `ConfirmationWasAuthenticated` (SNS API, GetSubscriptionAttributes).
 * Another account's subscription only that account may look at: whether it is protected nobody here can know.
 * `undefined` for one that went while we looked.
 */
async function stateOf(
  { SubscriptionArn: arn = '', Protocol: protocol = '', Owner: owner }: SnsSubscription,
  topicArn: string,
  client: SNSClient,
): Promise<SubscriptionState | undefined> {
  if (arn === REMOVED) return 'removed'
  if (!arn.startsWith('arn:')) return 'pending'
  if (!WITH_A_LINK.has(protocol)) return 'protected'
  if (owner !== undefined && owner !== topicArn.split(':')[4]) return 'unprotected'
  const read = client.send(new GetSubscriptionAttributesCommand({ SubscriptionArn: arn }))
  const gone = read.then(
    () => false,
    (error: Error) => error.name === 'NotFoundException',
  )
  if (await gone) return undefined
  const { Attributes: attributes = {} } = await asked('GetSubscriptionAttributes', topicArn, read)
  if (attributes['PendingConfirmation'] === 'true') return 'pending'
  return attributes['ConfirmationWasAuthenticated'] === 'true' ? 'protected' : 'unprotected'
}

async function asked<T>(
  operation: string,
  topicArn: string,
  call: Promise<T>,
  fixes: Readonly<Record<string, string>> = {},
): Promise<T> {
  try {
    return await call
  } catch (error) {
    const { message, fix, cause } = awsFault(error, {
      service: 'SNS',
      operation,
      action: `sns:${operation}`,
      resource: `topic ${topicArn}`,
      fixes: { NotFoundException: 'deploy the stack again: the topic of the alerts is gone', ...fixes },
    })
    throw new ConfigurationError(message, { fix, cause })
  }
}

/** What is left of an endpoint for people who know it anyway. */
export function maskedEndpoint(protocol: string, endpoint: string): string {
  if (protocol.startsWith('email')) {
    const at = endpoint.lastIndexOf('@')
    return at < 1 ? '…' : `${endpoint.slice(0, at > 1 ? 1 : 0)}…${endpoint.slice(at)}`
  }
  if (protocol.startsWith('http')) return URL.canParse(endpoint) ? `${new URL(endpoint).origin}/…` : '…'
  if (protocol === 'sms') return `…${endpoint.slice(-3)}`
  return endpoint.split(':').at(-1) ?? ''
}
