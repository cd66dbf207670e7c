import { ssmClient } from '../../aws/clients.ts'
import { assertOwned, readOwner } from '../../aws/prefix-owner.ts'
import { DEFAULT_KEY, keyName, parametersBelow, type StoredParameter } from '../../aws/stored-parameters.ts'
import type { Config } from '../../config.ts'
import { ConfigurationError } from '../../model/errors.ts'
import { awsFunctions, type DescribedFunction } from '../backend/aws-functions.ts'
import { compose } from '../backend/composition.ts'
import type { GlobalOptions } from '../backend/setting.ts'
import { EXIT } from '../terminal/exit-codes.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { UsageError } from '../terminal/usage-error.ts'
import { deployedFunctions } from './deployed.ts'
import { deployedKeyArn, isDeployed, presentKey } from './present-key.ts'

/**
 * `tokenkeeper vault check`: whether everything that is stored stays readable once `cdk.json` is deployed as it stands; it is
 * run before each `npm run deploy`, and changes nothing. Throws UsageError, ConfigurationError where something would not.
 */
export async function checkVault(options: GlobalOptions, terminal: Terminal): Promise<number> {
  const { backend, brokers, config, ports, close } = await compose(options, terminal)
  const functions = awsFunctions(config.stackName)
  const client = ssmClient()
  try {
    if (backend !== 'aws') {
      throw new UsageError(
        'only the secrets of a stack lie under a key that can be switched',
        'for a stack: tokenkeeper --backend aws vault check',
      )
    }
    const deployed = await deployedFunctions(brokers, functions)
    for (const one of deployed) assertSamePrefix(config, one)
    assertOwned(config.prefix, config.stackName, await readOwner(client, config.prefix))
    for (const one of deployed) assertKeyIsKept(config, one)
    const parameters = await parametersBelow(client, config.prefix, ports.clock)
    assertOpenable(config, parameters, deployed[0])
    const secrets = parameters.filter(({ isSecure }) => isSecure).length
    if (terminal.json) terminal.object({ success: true, secrets, deployed: deployed.length > 0 })
    else terminal.print(`${secrets} secrets below ${config.prefix} stay readable.`)
    return EXIT.ok
  } finally {
    client.destroy()
    functions.close()
    await close()
  }
}

/** Nothing moves secrets to another prefix: functions would look for them where there are none. */
function assertSamePrefix({ prefix, stackName }: Config, { prefix: deployed }: DescribedFunction): void {
  if (deployed === '' || deployed === prefix) return
  throw new ConfigurationError(
    `the stack ${stackName} keeps its secrets below ${deployed}, and cdk.json says ${prefix}: its functions would find none of them`,
    {
      fix: `set prefix in cdk.json back to ${deployed}; for secrets below ${prefix}, deploy a second stack with a stackName of its own and set its accounts up there`,
    },
  )
}

/** The key functions write with now is one that they may read with afterwards. */
function assertKeyIsKept(config: Config, deployed: DescribedFunction): void {
  const arn = deployedKeyArn(deployed)
  if (arn === undefined || isDeployed(config, deployed) || isNamed(config, arn)) return
  throw new ConfigurationError(
    `secrets lie under the key ${arn}, and no function could open them any more with what cdk.json says`,
    { fix: `name the key that is given up in cdk.json: "previousKeyArns": ["${arn}"]` },
  )
}

/** Every stored secret lies under a key that functions may read with, also where the stack is deployed for the first time. */
function assertOpenable(
  config: Config,
  parameters: readonly StoredParameter[],
  deployed: DescribedFunction | undefined,
): void {
  const present = presentKey(config, deployed)
  const ownAlias = `alias/${config.stackName}`
  const stranger = parameters.find(({ keyId }) => {
    if (keyId === undefined || keyName(keyId) === DEFAULT_KEY || isNamed(config, keyId)) return false
    // An alias does not say which key it stood for when a value was written: the one of the stack, while there is one.
    if (keyName(keyId) === ownAlias) return !deployed && config.previousKeyArns.length === 0
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
