import { DescribeTableCommand } from '@aws-sdk/client-dynamodb'
import { dynamoDbClient, ssmClient } from '../../aws/clients.ts'
import { assertOwned, readOwner } from '../../aws/prefix-owner.ts'
import { parametersBelow } from '../../aws/stored-parameters.ts'
import type { Config } from '../../config.ts'
import { resourceNames } from '../../resource-names.ts'
import { awsFunctions } from '../backend/aws-functions.ts'
import { compose } from '../backend/composition.ts'
import type { GlobalOptions } from '../backend/setting.ts'
import { EXIT } from '../terminal/exit-codes.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { UsageError } from '../terminal/usage-error.ts'
import { deployedFunctions } from './deployed.ts'
import { assertKeyIsKept, assertOpenable, assertSamePrefix } from './stays-readable.ts'

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
    if (deployed.length === 0 && (await hasTable(config))) tellOfTable(config, terminal)
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

/** A stack that was destroyed has left its table, whose name CloudFormation gives to no other. */
async function hasTable({ stackName }: Config): Promise<boolean> {
  const client = dynamoDbClient()
  try {
    await client.send(new DescribeTableCommand({ TableName: resourceNames(stackName).table }))
    return true
  } catch {
    // CloudFormation says so, too: whoever may not look is told then.
    return false
  } finally {
    client.destroy()
  }
}

function tellOfTable({ stackName }: Config, terminal: Terminal): void {
  terminal.note(
    `The table ${resourceNames(stackName).table} is there from before. To go on with the accounts in it: ` +
      'npm run deploy -- --import-existing-resources',
  )
}
