import { execFileSync } from 'node:child_process'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'

/** The AWS clients a fresh process has loaded after `script`. */
function loadedBy(script: string): string[] {
  const count = `
    import { createRequire } from 'node:module'
    ${script}
    const loaded = Object.keys(createRequire(import.meta.url).cache)
    const names = loaded.flatMap((path) => /@aws-sdk.client-([a-z]+)/.exec(path)?.[1] ?? [])
    process.stdout.write(JSON.stringify([...new Set(names)].sort()))`
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', count], {
    cwd: resolve(import.meta.dirname, '../..'),
    encoding: 'utf8',
  })
  return JSON.parse(output) as string[]
}

test('the clients of SNS and Lambda are loaded when they are needed and not before', () => {
  const adapters = [
    'ssm-token-vault',
    'dynamo/dynamo-state-store',
    'sns/sns-notifier',
    'lambda/lambda-follow-up',
    'lambda/lambda-login-service',
    'clients',
  ]
  const imports = adapters.map(
    (name) => `import * as ${name.replaceAll(/[-/]/g, '_')} from './lib/aws/${name}.ts'`,
  )
  expect(loadedBy(imports.join('\n'))).toEqual(['dynamodb', 'ssm'])
  expect(loadedBy(`${imports.join('\n')}; await clients.snsClient(); await clients.lambdaClient()`)).toEqual([
    'dynamodb',
    'lambda',
    'sns',
    'ssm',
  ])
})
