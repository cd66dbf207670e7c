import { App, Validations } from 'aws-cdk-lib'
import { AwsSolutionsChecks } from 'cdk-nag'
import { parseConfig } from '../lib/config.ts'
import { ConfigurationError } from '../lib/model/errors.ts'
import { TokenKeeperStack } from './token-keeper-stack.ts'

try {
  const app = new App()
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app))
  const config = parseConfig(app.node.tryGetContext('tokenkeeper'))
  new TokenKeeperStack(app, config.stackName, {
    config,
    description: 'Tokenkeeper: keeps broker access tokens alive',
  })
} catch (error) {
  // A mistake in cdk.json is the owner's to mend: its text is all that helps, a stack trace would hide it.
  if (!(error instanceof ConfigurationError)) throw error
  console.error(`${error.message}\n\n${error.fix}`)
  process.exit(1)
}
