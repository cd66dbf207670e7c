import { DEFAULT_KEY, keyName } from '../../aws/stored-parameters.ts'
import type { Config } from '../../config.ts'
import { ConfigurationError } from '../../model/errors.ts'
import type { DescribedFunction } from '../backend/aws-functions.ts'

/** The key values are encrypted under from now on, and how SSM may call it. */
export interface PresentKey {
  /** What a write names; `undefined` is the account's aws/ssm key. */
  readonly keyId: string | undefined
  /** How people read it. */
  readonly shown: string
  is(keyId: string): boolean
}

/** The key `cdk.json` names; that of the stack's own is known by its alias, and by what the deployed functions call it. */
export function presentKey(config: Config, deployed: DescribedFunction | undefined): PresentKey {
  const { customerManagedKey, keyArn, stackName } = config
  const alias = `alias/${stackName}`
  const keyId = keyArn ?? (customerManagedKey ? alias : undefined)
  const names = new Set([keyName(keyId ?? DEFAULT_KEY)])
  if (customerManagedKey && deployed && isOwn(deployed.keyId)) names.add(keyName(deployed.keyId))
  return { keyId, shown: keyId ?? DEFAULT_KEY, is: (other) => names.has(keyName(other)) }
}

/** Functions are told the stack's own key by its id, and any other by its ARN. */
function isOwn(keyId: string): boolean {
  return keyId !== '' && !keyId.startsWith('arn:')
}

/** Whether a deployed function encrypts under the key `cdk.json` names. */
export function isDeployed({ customerManagedKey, keyArn }: Config, { keyId }: DescribedFunction): boolean {
  if (keyArn !== undefined) return keyId === keyArn
  return customerManagedKey ? isOwn(keyId) : keyId === ''
}

/** The ARN of the key a deployed function encrypts under; `undefined` for aws/ssm. */
export function deployedKeyArn({
  keyId,
  partition,
  region,
  accountNumber,
}: DescribedFunction): string | undefined {
  if (keyId === '') return undefined
  return isOwn(keyId) ? `arn:${partition}:kms:${region}:${accountNumber}:key/${keyId}` : keyId
}

/**
 * Throws ConfigurationError where a deployed function does not yet work with the key `cdk.json` names: it might not open what
 * is encrypted under it.
 */
export function assertDeployed(config: Config, deployed: readonly DescribedFunction[]): void {
  const behind = deployed.find((one) => !isDeployed(config, one))
  if (!behind) return
  throw new ConfigurationError(
    `the function ${behind.name} encrypts under ${behind.keyId || DEFAULT_KEY} and cdk.json names another key; no secret was touched`,
    { fix: 'deploy first, so that functions can open what is written: npm run deploy' },
  )
}
