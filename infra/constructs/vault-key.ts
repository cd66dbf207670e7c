import { RemovalPolicy } from 'aws-cdk-lib'
import { Key } from 'aws-cdk-lib/aws-kms'
import { Construct } from 'constructs'

export interface VaultKeyProps {
  /** Without the `alias/` in front. */
  readonly alias: string
}

/** A key of the stack's own for the SecureStrings. It outlives the stack: without it they cannot be opened. */
export class VaultKey extends Construct {
  readonly key: Key

  constructor(scope: Construct, id: string, props: VaultKeyProps) {
    super(scope, id)
    this.key = new Key(this, 'Key', {
      alias: `alias/${props.alias}`,
      description: 'Encrypts the secrets Tokenkeeper stores in SSM',
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
    })
  }
}
