import { DescribeTableCommand } from '@aws-sdk/client-dynamodb'
import { GetParametersCommand } from '@aws-sdk/client-ssm'
import { knownAccounts } from '../../accounts/accounts.ts'
import { awsFault } from '../../aws/aws-fault.ts'
import { dynamoDbClient, ssmClient } from '../../aws/clients.ts'
import { BROKER_IDS } from '../../brokers/index.ts'
import { TokenkeeperError } from '../../model/errors.ts'
import { resourceNames } from '../../resource-names.ts'
import { awsFunctions, type DescribedFunction } from '../backend/aws-functions.ts'
import type { Composition } from '../backend/composition.ts'
import { deployCommand } from '../backend/installation.ts'
import { concurrencyFinding, throughputFinding } from './aws-limits.ts'
import { vaultFindings } from './aws-vault.ts'
import { type Finding, fail, pass, warn } from './finding.ts'
import { subscriptionFindings } from './subscriptions.ts'

const MISSING = `deploy the stack (${deployCommand()}), or set AWS_REGION to the region it is in`

/** The deployed stack: each part found by reading it, which changes nothing. */
export async function awsFindings(composition: Composition): Promise<readonly Finding[]> {
  const { config, brokers } = composition
  const { table } = resourceNames(config.stackName)
  const functions = awsFunctions(config.stackName)
  const findings: Finding[] = []
  const deployed: DescribedFunction[] = []
  for (const { broker } of brokers) {
    try {
      const one = await functions.describe(broker.id)
      deployed.push(one)
      const { name, state, accountNumber, region } = one
      findings.push(
        state === 'Active' || state === 'unknown'
          ? pass('function', `${name} in account ${accountNumber}, ${region}`)
          : warn(
              'function',
              `${name} is ${state}`,
              'wait a moment; a function that was idle for weeks wakes up slowly',
            ),
      )
    } catch (error) {
      if (!(error instanceof TokenkeeperError)) throw error
      findings.push(fail('function', error.message, error.fix))
    }
  }
  functions.close()
  findings.push(await tableFinding(table), await parameterFinding(config.prefix))
  const ssm = ssmClient()
  findings.push(...(await vaultFindings(composition, deployed, ssm)))
  findings.push(
    await concurrencyFinding(brokers.length),
    await throughputFinding(await accountsIn(composition), ssm),
  )
  ssm.destroy()
  const topicArn = deployed.find((one) => one.topicArn !== '')?.topicArn
  if (topicArn !== undefined) findings.push(...(await subscriptionFindings(topicArn, config.alertEmails)))
  return findings
}

/** How many accounts are registered; none where the records cannot be read, which is told elsewhere. */
async function accountsIn({ brokers, ports }: Composition): Promise<number> {
  const known = knownAccounts(
    brokers.map(({ broker }) => broker),
    ports.states,
  )
  return known.then(
    ({ length }) => length,
    () => 0,
  )
}

async function tableFinding(table: string): Promise<Finding> {
  const client = dynamoDbClient()
  return found('table', table, 'DynamoDB', 'DescribeTable', 'dynamodb:DescribeTable', async () => {
    const { Table } = await client.send(new DescribeTableCommand({ TableName: table }))
    return `${table} is ${Table?.TableStatus?.toLowerCase() ?? 'there'}`
  })
}

/** A name that need not exist: the answer tells whether reading is allowed. */
async function parameterFinding(prefix: string): Promise<Finding> {
  const client = ssmClient()
  const name = `${prefix}/${BROKER_IDS[0]}/client_id`
  return found('parameters', name, 'SSM', 'GetParameters', 'ssm:GetParameters', async () => {
    await client.send(new GetParametersCommand({ Names: [name] }))
    return `readable under ${prefix}`
  })
}

async function found(
  what: string,
  resource: string,
  service: string,
  operation: string,
  action: string,
  ask: () => Promise<string>,
): Promise<Finding> {
  try {
    return pass(what, await ask())
  } catch (error) {
    const fixes = { ResourceNotFoundException: MISSING }
    const { message, fix } = awsFault(error, { service, operation, action, resource, fixes })
    return fail(what, message, fix)
  }
}
