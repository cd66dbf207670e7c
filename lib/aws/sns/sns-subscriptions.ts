import {
  ConfirmSubscriptionCommand,
  GetSubscriptionAttributesCommand,
  paginateListSubscriptionsByTopic,
  type SNSClient,
  type Subscription as SnsSubscription,
} from '@aws-sdk/client-sns'
import { ConfigurationError } from '../../model/errors.ts'
import { Secret } from '../../model/secrets/secret.ts'
import { awsFault } from '../aws-fault.ts'

/**
 * `protected`: only somebody with rights in AWS can remove it. `unprotected`: anybody who opens the
 * unsubscribe link of a message removes it, and mail scanners open links. `pending`: SNS waits 48 hours for
 * its confirmation. `removed`: SNS still lists it for up to 72 hours.
 */
export type SubscriptionState = 'protected' | 'unprotected' | 'pending' | 'removed'

/** One receiver of a topic's messages. */
export interface Subscription {
  /** The protocol in SNS' words: email, sqs, https and so on. */
  readonly protocol: string
  /** The part of the address by which its owner recognises it: `a…@example.invalid`. */
  readonly endpoint: string
  /**
   * The whole address, to compare it. A mail address belongs to a person, and a web hook's may contain a key.
   */
  readonly address: Secret
  /** Absent while the subscription is pending, and once it is removed. */
  readonly arn?: string
  readonly state: SubscriptionState
}

/** What ListSubscriptionsByTopic gives in place of an ARN. */
const REMOVED = 'Deleted'
/**
 * Protocols whose messages contain an unsubscribe link. To remove others takes rights in AWS, or the
 * telephone itself.
 */
const WITH_A_LINK: ReadonlySet<string> = new Set(['email', 'email-json', 'http', 'https'])

/** All subscriptions of a topic. Throws ConfigurationError where they cannot be read. */
export async function subscriptionsOf(topicArn: string, client: SNSClient): Promise<readonly Subscription[]> {
  const found: Subscription[] = []
  for (const listed of await listedBy(topicArn, client)) {
    const { Protocol: protocol = '', Endpoint: endpoint = '', SubscriptionArn: arn = '' } = listed
    const state = await stateOf(listed, topicArn, client)
    if (state === undefined) continue
    found.push({
      protocol,
      endpoint: maskedEndpoint(protocol, endpoint),
      // Only a web hook's address gives access to something, so only that is masked in texts.
      address: new Secret(endpoint, { masked: protocol.startsWith('http') }),
      ...(state !== 'pending' && state !== 'removed' && { arn }),
      state,
    })
  }
  return found
}

/**
 * Confirms a subscription with the token of its confirmation mail, so that removing it takes a signed call.
 * Then reads its state: `unprotected` means that somebody, or a mail scanner, had opened the link before.
 * Throws ConfigurationError where SNS refuses the token.
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
    // SNS gives the same error for "already confirmed" and for a missing right.
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
 * The state of a subscription. `ConfirmationWasAuthenticated` tells how it was confirmed (SNS API,
 * GetSubscriptionAttributes). Only the owner may read that, so another AWS account's subscription counts as
 * unprotected. `undefined` for one that was removed meanwhile.
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

/** The part of an address that is shown, for people who know the address anyway. */
export function maskedEndpoint(protocol: string, endpoint: string): string {
  if (protocol.startsWith('email')) {
    const at = endpoint.lastIndexOf('@')
    return at < 1 ? '…' : `${endpoint.slice(0, at > 1 ? 1 : 0)}…${endpoint.slice(at)}`
  }
  if (protocol.startsWith('http')) return URL.canParse(endpoint) ? `${new URL(endpoint).origin}/…` : '…'
  if (protocol === 'sms') return `…${endpoint.slice(-3)}`
  return endpoint.split(':').at(-1) ?? ''
}
