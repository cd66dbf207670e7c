/**
 * Freezes the template of an earlier version, for the test that upgrades from it (README.md beside this). Run in a checkout of
 * that version, with the file to write.
 *
 * Functions lose their code: what counts is what the stack makes, and what was stored under it.
 */
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { App } from 'aws-cdk-lib'

/** One broker with all that can be switched; the names are those of the tests' own deployment. */
const CONTEXT = {
  stackName: 'TokenkeeperE2E',
  prefix: '/e2e',
  customerManagedKey: true,
  alertEmails: ['operator@example.com'],
  brokers: { fyers: { schedules: ['cron(5 4 1 1 ? *)'] } },
}
const STUB = { ZipFile: 'exports.handler = async () => ({})' }
/** What CDK adds for itself. */
const OF_CDK = ['Parameters', 'Rules', 'Conditions', 'Metadata']

interface Resource {
  readonly Type: string
  readonly Properties?: Record<string, unknown>
  Metadata?: unknown
}

const [file] = process.argv.slice(2)
if (!file) throw new Error('which file is to be written?')
const { TokenKeeperStack } = await import(resolve('infra/token-keeper-stack.ts'))
const { parseConfig } = await import(resolve('lib/config.ts'))
const app = new App({ context: { 'aws:cdk:bundling-stacks': [], '@aws-cdk/core:disableMetadata': true } })
const config = parseConfig(CONTEXT)
new TokenKeeperStack(app, config.stackName, { config })
const template = app.synth().getStackByName(config.stackName).template as Record<string, unknown>
for (const part of OF_CDK) delete template[part]
const resources = template['Resources'] as Record<string, Resource>
for (const [id, resource] of Object.entries(resources)) {
  if (resource.Type === 'AWS::CDK::Metadata') delete resources[id]
  delete resource.Metadata
  if (resource.Type === 'AWS::Lambda::Function') Object.assign(resource.Properties ?? {}, { Code: STUB })
}
writeFileSync(file, `${JSON.stringify(template, undefined, 1)}\n`)
