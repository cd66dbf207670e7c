import { DEFAULT_KEY, keyName, type StoredParameter } from '../../aws/stored-parameters.ts'
import type { Config } from '../../config.ts'
import { ConfigurationError } from '../../model/errors.ts'
import type { DescribedFunction } from '../backend/aws-functions.ts'
import { deployedKeyArn, isDeployed, presentKey } from './present-key.ts'

/** Nothing moves secrets to another prefix: functions would look for them where there are none. */
export function assertSamePrefix(
  { prefix, stackName }: Config,
  { prefix: deployed }: DescribedFunction,
): void {
  if (deployed === '' || deployed === prefix) return
  throw new ConfigurationError(
    `the stack ${stackName} keeps its secrets below ${deployed}, and cdk.json says ${prefix}: its functions would find none of them`,
    {
      fix: `set prefix in cdk.json back to ${deployed}; for secrets below ${prefix}, deploy a second stack with a stackName of its own and set its accounts up there`,
    },
  )
}

/** The key functions write with now is one that they may read with afterwards. */
export function assertKeyIsKept(config: Config, deployed: DescribedFunction): void {
  const arn = deployedKeyArn(deployed)
  if (arn === undefined || isDeployed(config, deployed) || isNamed(config, arn)) return
  throw new ConfigurationError(
    `secrets lie under the key ${arn}, and no function could open them any more with what cdk.json says`,
    { fix: `name the key that is given up in cdk.json: "previousKeyArns": ["${arn}"]` },
  )
}

/** Every stored secret lies under a key that functions may read with, also where the stack is deployed for the first time. */
export function assertOpenable(
  config: Config,
  parameters: readonly StoredParameter[],
  deployed: DescribedFunction | undefined,
): void {
  const present = presentKey(config, deployed)
  const ownAlias = `alias/${config.stackName}`
  const hasOwn = config.customerManagedKey && deployed !== undefined && isDeployed(config, deployed)
  const stranger = parameters.find(({ keyId }) => {
    if (keyId === undefined || keyName(keyId) === DEFAULT_KEY || isNamed(config, keyId)) return false
    // 0.1 named the stack's key by its alias, which does not say what it stood for then. Where the stack has that key no more,
    // it has to be one of those that are named.
    if (keyName(keyId) === ownAlias) return !hasOwn && config.previousKeyArns.length === 0
    return !present.is(keyId)
  })
  if (!stranger) return
  const { path, keyId = '', arn = '' } = stranger
  const [, partition = 'aws', , region = '<region>', account = '<account>'] = arn.split(':')
  const key = keyName(keyId).startsWith('alias/')
    ? 'the ARN of that key'
    : `"arn:${partition}:kms:${region}:${account}:key/${keyName(keyId)}"`
  throw new ConfigurationError(
    `${path} lies under the key ${keyId}, which cdk.json does not name: no function could open it`,
    {
      fix: `add ${key} to previousKeyArns in cdk.json, or have it stored again first: tokenkeeper vault re-encrypt`,
    },
  )
}

function isNamed({ keyArn, previousKeyArns }: Config, keyId: string): boolean {
  return [keyArn, ...previousKeyArns].some((arn) => arn !== undefined && keyName(arn) === keyName(keyId))
}
