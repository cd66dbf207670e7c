import { Stack } from 'aws-cdk-lib'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { Construct } from 'constructs'
import { keysToOpen, type VaultKeys } from '../vault-keys.ts'

/** Where the vault keeps secrets that are ours and no broker's, below the prefix; nothing else lies there. */
const OWN_PARAMETERS = {
  /** Signs the site's links. */
  SigningKey: 'site/signing_key',
  /** Opens the Redis that mirrors published tokens. */
  RedisPassword: 'mirrors/redis_password',
} as const

export interface OwnParameterProps {
  /** First part of every parameter name, such as /stock-pipeline. */
  readonly parameterPrefix: string
  /** The keys its parameters lie under. */
  readonly vaultKeys: VaultKeys
}

/** What who needs one of our own secrets may do: read the one parameter, and open it. */
export function readOwnParameter(
  scope: Construct,
  which: keyof typeof OWN_PARAMETERS,
  props: OwnParameterProps,
): readonly PolicyStatement[] {
  const stack = Stack.of(scope)
  const resourceName = `${props.parameterPrefix.slice(1)}/${OWN_PARAMETERS[which]}`
  const parameter = stack.formatArn({ service: 'ssm', resource: 'parameter', resourceName })
  const read = new PolicyStatement({
    sid: which,
    actions: ['ssm:GetParameters'],
    resources: [parameter],
  })
  const keys = keysToOpen(props.vaultKeys)
  if (keys.length === 0) return [read]
  const open = new PolicyStatement({
    sid: `${which}Key`,
    actions: ['kms:Decrypt'],
    resources: [...keys],
    conditions: {
      StringEquals: {
        'kms:ViaService': `ssm.${stack.region}.amazonaws.com`,
        'kms:EncryptionContext:PARAMETER_ARN': parameter,
      },
    },
  })
  return [read, open]
}
