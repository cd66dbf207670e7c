import type { Construct } from 'constructs'
import type { Config } from '../../lib/config.ts'
import { VaultKey } from './vault-key.ts'

/** The KMS keys of the secrets in SSM. */
export interface VaultKeys {
  /**
   * What new values are encrypted under.
   *
   * @default - the account's aws/ssm key, whose own policy lets every caller of SSM in the account use it
   */
  readonly present?: PresentKey | undefined
  /** Keys that values may still lie under: they are opened with and never written with. */
  readonly previousArns: readonly string[]
}

interface PresentKey {
  readonly arn: string
  /** How functions name it to SSM. */
  readonly id: string
}

/** The keys `cdk.json` names; the one of the stack's own is made here. */
export function vaultKeys(
  scope: Construct,
  { customerManagedKey, keyArn, previousKeyArns, stackName }: Config,
): VaultKeys {
  if (keyArn !== undefined) {
    // By its ARN: an id alone would be looked for in this account.
    return { present: { arn: keyArn, id: keyArn }, previousArns: previousKeyArns }
  }
  if (!customerManagedKey) return { previousArns: previousKeyArns }
  const { key } = new VaultKey(scope, 'VaultKey', { alias: stackName })
  return { present: { arn: key.keyArn, id: key.keyId }, previousArns: previousKeyArns }
}

/** The ARNs of every key a value may lie under and that needs a permission. */
export function keysToOpen({ present, previousArns }: VaultKeys): readonly string[] {
  return [...(present ? [present.arn] : []), ...previousArns]
}
