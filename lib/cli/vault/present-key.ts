import { DEFAULT_KEY, keyName } from '../../aws/stored-parameters.ts'
import type { Config } from '../../config.ts'
import { ConfigurationError } from '../../model/errors.ts'
import type { DescribedFunction } from '../backend/aws-functions.ts'
import { isOwnKey } from '../backend/own-key.ts'

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
  // The command line of 0.1 named it by its alias.
  const own = [...(deployed && isOwnKey(deployed.keyId) ? [deployed.keyId] : []), `alias/${stackName}`]
  const names = keyArn !== undefined ? [keyArn] : customerManagedKey ? own : [DEFAULT_KEY]
  const keyId = names[0] === DEFAULT_KEY ? undefined : names[0]
  const known = new Set(names.map(keyName))
  return { keyId, shown: keyId ?? DEFAULT_KEY, is: (other) => known.has(keyName(other)) }
}

/** Whether a deployed function encrypts under the key `cdk.json` names. */
export function isDeployed({ customerManagedKey, keyArn }: Config, { keyId }: DescribedFunction): boolean {
  if (keyArn !== undefined) return keyId === keyArn
  return customerManagedKey ? isOwnKey(keyId) : keyId === ''
}

/** The ARN of the key a deployed function encrypts under; `undefined` for aws/ssm. */
export function deployedKeyArn({
  keyId,
  partition,
  region,
  accountNumber,
}: DescribedFunction): string | undefined {
  if (keyId === '') return undefined
  return isOwnKey(keyId) ? `arn:${partition}:kms:${region}:${accountNumber}:key/${keyId}` : keyId
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
