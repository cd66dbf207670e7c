import { Stack, Validations } from 'aws-cdk-lib'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { Construct } from 'constructs'
import { keysToOpen, type VaultKeys } from '../vault-keys.ts'

/** What consumers are meant to have of every account. */
const PUBLISHED = ['access_token', 'session']
const APP_ID = 'client_id'

export interface PublishingBroker {
  readonly brokerId: string
  /** Whether its Authorization header names the app as well as the token. */
  readonly headerNamesApp: boolean
}

export interface PublishedTokensProps {
  /** First part of every parameter name, such as /stock-pipeline. */
  readonly parameterPrefix: string
  readonly brokers: readonly PublishingBroker[]
  /** @default - several at once, as this project's own programs read */
  readonly actions?: readonly string[]
  /** The keys its parameters lie under. */
  readonly vaultKeys: VaultKeys
}

/** What the REST interface may do to hand out tokens, and a program to use them: read what is published, and no credential. */
export function readPublishedTokens(
  scope: Construct,
  props: PublishedTokensProps,
): readonly PolicyStatement[] {
  const stack = Stack.of(scope)
  const parameters = namesOf(props).map((name) =>
    stack.formatArn({ service: 'ssm', resource: 'parameter', resourceName: name.slice(1) }),
  )
  const read = new PolicyStatement({
    sid: 'PublishedTokens',
    actions: [...(props.actions ?? ['ssm:GetParameters'])],
    resources: parameters,
  })
  const keys = keysToOpen(props.vaultKeys)
  if (keys.length === 0) return [read]
  const open = new PolicyStatement({
    sid: 'PublishedTokensKey',
    actions: ['kms:Decrypt'],
    resources: [...keys],
    conditions: {
      StringEquals: { 'kms:ViaService': `ssm.${stack.region}.amazonaws.com` },
      StringLike: { 'kms:EncryptionContext:PARAMETER_ARN': parameters },
    },
  })
  return [read, open]
}

/** Accepts the wildcards of these statements on the role or policy that has them. */
export function acknowledgePublishedTokens(holder: Construct, props: PublishedTokensProps): void {
  for (const name of namesOf(props).filter((one) => one.includes('*'))) {
    const below = `arn:<AWS::Partition>:ssm:<AWS::Region>:<AWS::AccountId>:parameter${name}`
    const reason = 'accounts are added at run time; of each only what is published can be read'
    Validations.of(holder).acknowledge({ id: `AwsSolutions-IAM5[Resource::${below}]`, reason })
  }
}

/**
 * Each name of the broker's default account, and of every other one. A wildcard matches slashes as well; that the name
 * at the end is fixed is what keeps credentials out.
 */
function namesOf({ parameterPrefix, brokers }: PublishedTokensProps): readonly string[] {
  return brokers.flatMap(({ brokerId, headerNamesApp }) =>
    [...PUBLISHED, ...(headerNamesApp ? [APP_ID] : [])].flatMap((name) => [
      `${parameterPrefix}/${brokerId}/${name}`,
      `${parameterPrefix}/${brokerId}/*/${name}`,
    ]),
  )
}
