import { Stack } from 'aws-cdk-lib'
import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { IKey } from 'aws-cdk-lib/aws-kms'
import type { Construct } from 'constructs'

/** Where the vault keeps what signs the site's links, below the prefix; nothing else lies there. */
const SIGNING_KEY = 'site/signing_key'

export interface SigningKeyProps {
  /** First part of every parameter name, such as /stock-pipeline. */
  readonly parameterPrefix: string
  /** @default - the account's aws/ssm key */
  readonly vaultKey?: IKey | undefined
}

/** What who signs or checks the site's links may do: read the one parameter, and open it. */
export function readSigningKey(scope: Construct, props: SigningKeyProps): readonly PolicyStatement[] {
  const stack = Stack.of(scope)
  const resourceName = `${props.parameterPrefix.slice(1)}/${SIGNING_KEY}`
  const parameter = stack.formatArn({ service: 'ssm', resource: 'parameter', resourceName })
  const read = new PolicyStatement({
    sid: 'SigningKey',
    actions: ['ssm:GetParameters'],
    resources: [parameter],
  })
  if (!props.vaultKey) return [read]
  const open = new PolicyStatement({
    sid: 'SigningKeyKey',
    actions: ['kms:Decrypt'],
    resources: [props.vaultKey.keyArn],
    conditions: {
      StringEquals: {
        'kms:ViaService': `ssm.${stack.region}.amazonaws.com`,
        'kms:EncryptionContext:PARAMETER_ARN': parameter,
      },
    },
  })
  return [read, open]
}
