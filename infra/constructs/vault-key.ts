import { Duration, RemovalPolicy } from 'aws-cdk-lib'
import { Key } from 'aws-cdk-lib/aws-kms'
import { Construct } from 'constructs'

export interface VaultKeyProps {
  /** Without the `alias/` in front. */
  readonly alias: string
}

/**
 * A key of the stack's own for the SecureStrings. It outlives the stack: without it they cannot be opened. A deployment
 * that makes it and fails has it deleted, which KMS does no sooner than after 30 days: until then it can be had back.
 */
export class VaultKey extends Construct {
  readonly key: Key

  constructor(scope: Construct, id: string, props: VaultKeyProps) {
    super(scope, id)
    this.key = new Key(this, 'Key', {
      alias: `alias/${props.alias}`,
      description: 'Encrypts the secrets Tokenkeeper stores in SSM',
      enableKeyRotation: true,
      pendingWindow: Duration.days(30),
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    })
  }
}
