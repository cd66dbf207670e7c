import { ConfigurationError } from '../../model/errors.ts'
import { awsFunctions } from './aws-functions.ts'
import type { Composition } from './composition.ts'
import { deployCommand } from './installation.ts'

/**
 * The ARN of the stack's alert topic: it holds the AWS account, which only the stack's functions tell us. Throws
 * ConfigurationError when nothing is deployed.
 */
export async function stackTopic({
  config,
  brokers,
}: Pick<Composition, 'config' | 'brokers'>): Promise<string> {
  const [first] = brokers
  if (!first) {
    throw new ConfigurationError('no broker is switched on, so there is no stack to ask for its topic', {
      fix: 'add one to the brokers of the "tokenkeeper" context in cdk.json, and deploy',
    })
  }
  const functions = awsFunctions(config.stackName)
  try {
    const { name, topicArn } = await functions.describe(first.broker.id)
    if (topicArn !== '') return topicArn
    throw new ConfigurationError(`the function ${name} knows of no topic`, {
      fix: `deploy this version of the stack: ${deployCommand()}`,
    })
  } finally {
    functions.close()
  }
}
