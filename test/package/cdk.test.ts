import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { bundle } from '../../infra/constructs/bundle/bundle.ts'
import { pageAt } from '../support/page.ts'
import { Program } from './npm.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const { devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
const FUNCTIONS = ['fyers', 'site', 'subscriptions']

const program = new Program()

beforeAll(() => program.install(inject('packed').tarball))
afterAll(() => program.remove())

describe('without the CDK', () => {
  const imported = () => program.run([process.execPath, '--eval', "import('tokenkeeper/cdk')"])

  test('the stack says what to install', async () => {
    const { code, stderr } = await imported()
    expect(code).toBe(1)
    expect(stderr).toContain(
      'tokenkeeper/cdk needs aws-cdk-lib and constructs, which it does not bring along. ' +
        'Fix: npm install aws-cdk-lib@2 constructs@10 aws-cdk@2',
    )
  })

  test('or that the one there is too old', async () => {
    for (const [name, version] of [
      ['aws-cdk-lib', '2.230.0'],
      ['constructs', '10.0.0'],
    ]) {
      program.write(`node_modules/${name}/package.json`, JSON.stringify({ name, version }))
      program.write(`node_modules/${name}/index.js`, '')
    }
    const { stderr } = await imported()
    const wanted = devDependencies['aws-cdk-lib']
    expect(stderr).toContain(`needs aws-cdk-lib ${wanted} or newer, and 2.230.0 is there. Fix: npm install `)
    for (const name of ['aws-cdk-lib', 'constructs'])
      rmSync(program.path('node_modules', name), { recursive: true })
  })
})

describe('with the CDK', () => {
  beforeAll(async () => {
    const versions = ['aws-cdk-lib', 'constructs', 'aws-cdk'].map(
      (name) => `${name}@${devDependencies[name]}`,
    )
    await program.install(...versions)
    console.info(`with what deploys: ${program.installedMegabytes} MB in node_modules`)
    // The app of five lines that the manual shows.
    const app = /```ts\n\/\/ app\.mjs\n([\s\S]*?)```/.exec(pageAt('infra/README.md').text)?.[1]
    program.write('app.mjs', app ?? '')
    const synth = ['npx', 'cdk', 'synth', '--quiet', '--no-notices', '--app', 'node app.mjs']
    const { code, stderr } = await program.run(synth, { ...program.env, CI: 'true' })
    expect({ code, errors: stderr.match(/error.*/gi) }).toEqual({ code: 0, errors: null })
  })

  interface Template {
    readonly Resources: Readonly<
      Record<string, { readonly Type: string; readonly Properties: Record<string, unknown> }>
    >
  }

  /** The folder a function's code is uploaded from, as the template of the app of five lines names it. */
  function codeOf(name: string): string {
    const template: Template = JSON.parse(
      readFileSync(program.path('cdk.out/Tokenkeeper.template.json'), 'utf8'),
    )
    const found = Object.values(template.Resources).find(
      ({ Type, Properties }) =>
        Type === 'AWS::Lambda::Function' && Properties['FunctionName'] === `Tokenkeeper-${name}`,
    )
    const code = found?.Properties['Code'] as { readonly S3Key: string } | undefined
    return program.path('cdk.out', `asset.${code?.S3Key.replace('.zip', '')}`)
  }

  test.each(FUNCTIONS)(
    'an app of five lines deploys the code of %s that the clone does, byte for byte',
    (name) => {
      const clones = program.path('bundled', name)
      bundle(`${name}.ts`, clones)
      const files = (folder: string) =>
        Object.fromEntries(
          readdirSync(folder).map((file) => [file, readFileSync(join(folder, file), 'utf8')]),
        )
      const [deployed, bundled] = [files(codeOf(name)), files(clones)]
      expect(Object.keys(deployed)).toEqual(Object.keys(bundled))
      expect(Object.keys(bundled).filter((file) => deployed[file] !== bundled[file])).toEqual([])
    },
  )

  test.each(FUNCTIONS)('what is deployed as %s is JavaScript with a handler', async (name) => {
    const load = `import(${JSON.stringify(join(codeOf(name), 'index.mjs'))}).then((it) => console.log(typeof it.handler))`
    const env = { ...program.env, AWS_REGION: 'ap-south-1' }
    expect(await program.run([process.execPath, '--eval', load], env)).toMatchObject({ stdout: 'function\n' })
  })

  test('an app in CommonJS can require it', async () => {
    const app = `const { App } = require('aws-cdk-lib')
      const { parseConfig, TokenKeeperStack } = require('tokenkeeper/cdk')
      const config = parseConfig({ brokers: { zerodha: {} } })
      const stack = new TokenKeeperStack(new App(), config.stackName, { config })
      console.log(stack.stackName)`
    expect(await program.run([process.execPath, '--eval', app])).toMatchObject({
      code: 0,
      stdout: 'Tokenkeeper\n',
    })
  })

  test('it brings its types', async () => {
    program.write(
      'app.ts',
      `import { App } from 'aws-cdk-lib'
       import { type Config, parseConfig, TokenKeeperStack } from 'tokenkeeper/cdk'
       const config: Config = parseConfig({ brokers: { fyers: {} } })
       new TokenKeeperStack(new App(), config.stackName, { config })
       // @ts-expect-error: a name is no number
       export const days: string = config.logRetentionDays`,
    )
    const compiler = join(ROOT, 'node_modules/typescript/bin/tsc')
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', '--skipLibCheck']
    expect(await program.run([process.execPath, compiler, ...options, 'app.ts'])).toMatchObject({
      code: 0,
      stdout: '',
    })
  })
})
