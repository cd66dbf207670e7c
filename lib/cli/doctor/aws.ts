import { DescribeTableCommand } from '@aws-sdk/client-dynamodb'
import { GetParametersCommand } from '@aws-sdk/client-ssm'
import { awsFault } from '../../aws/aws-fault.ts'
import { dynamoDbClient, ssmClient } from '../../aws/clients.ts'
import { assertOwned, readOwner } from '../../aws/prefix-owner.ts'
import { BROKER_IDS } from '../../brokers/index.ts'
import { TokenkeeperError } from '../../model/errors.ts'
import { resourceNames } from '../../resource-names.ts'
import { awsFunctions } from '../backend/aws-functions.ts'
import type { Composition } from '../backend/composition.ts'
import { type Finding, fail, pass, warn } from './finding.ts'
import { subscriptionFindings } from './subscriptions.ts'

const MISSING = 'deploy the stack (npx cdk deploy), or set AWS_REGION to the region it is in'

/** The deployed stack: each part found by reading it, which changes nothing. */
export async function awsFindings({ config, brokers }: Composition): Promise<readonly Finding[]> {
  const { table } = resourceNames(config.stackName)
  const functions = awsFunctions(config.stackName)
  const findings: Finding[] = []
  let topicArn = ''
  for (const { broker } of brokers) {
    try {
      const { name, state, accountNumber, region, topicArn: arn } = await functions.describe(broker.id)
      topicArn ||= arn
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
  findings.push(await ownerFinding(config))
  if (topicArn !== '') findings.push(...(await subscriptionFindings(topicArn, config.alertEmails)))
  return findings
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

/** Whether everything below the prefix is this stack's, so that no other one renews the same accounts. */
async function ownerFinding({ prefix, stackName }: Composition['config']): Promise<Finding> {
  try {
    const owner = await readOwner(ssmClient(), prefix)
    assertOwned(prefix, stackName, owner)
    return owner === undefined
      ? warn('prefix', `no stack has said that ${prefix} is its own`, 'deploy this version: npm run deploy')
      : pass('prefix', `${prefix} belongs to ${stackName}`)
  } catch (error) {
    if (!(error instanceof TokenkeeperError)) throw error
    return fail('prefix', error.message, error.fix)
  }
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
