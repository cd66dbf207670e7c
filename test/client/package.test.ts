import { execFile, execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildClient } from '../../lib/client/build.ts'
import { openDatabase } from '../../lib/local/database.ts'
import { vaultKey } from '../../lib/local/vault-key.ts'
import { sameDay } from '../support/same-day.ts'
import { startApi } from './support/api-server.ts'

const ROOT = join(import.meta.dirname, '../..')
const AWS = {
  AWS_REGION: 'ap-south-1',
  AWS_ACCESS_KEY_ID: 'SIMULATED',
  AWS_SECRET_ACCESS_KEY: 'SIMULATED',
  AWS_EC2_METADATA_DISABLED: 'true',
}
const program = mkdtempSync(join(tmpdir(), 'tokenkeeper-program-'))
const installed = join(program, 'node_modules/tokenkeeper')

/** A program beside which the package is installed as npm does it: plain JavaScript below node_modules. */
beforeAll(() => {
  mkdirSync(installed, { recursive: true })
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    if (!name.startsWith('.') && name !== 'tokenkeeper') {
      symlinkSync(join(ROOT, 'node_modules', name), join(program, 'node_modules', name))
    }
  }
  buildClient(join(installed, 'dist/client'))
  const client = { types: './dist/client/types/client/index.d.ts', default: './dist/client/index.js' }
  const manifest = { name: 'tokenkeeper', type: 'module', exports: { './client': client } }
  writeFileSync(join(installed, 'package.json'), JSON.stringify(manifest))
  writeFileSync(join(program, 'package.json'), JSON.stringify({ type: 'module' }))
})
afterAll(() => rmSync(program, { recursive: true, force: true }))

/** What a program prints; as `loaded`, the packages and built-in modules it had to load. */
async function run(script: string, env: Record<string, string> = {}): Promise<Record<string, unknown>> {
  writeFileSync(
    join(program, 'program.js'),
    `import { registerHooks } from 'node:module'
     const loaded = new Set()
     registerHooks({
       load(url, context, next) {
         loaded.add(/node_modules\\/((?:@[^/]+\\/)?[^/]+)\\/(?!.*node_modules\\/)/.exec(url)?.[1] ?? url)
         return next(url, context)
       },
     })
     const client = await import('tokenkeeper/client')
     ${script}
     console.log(JSON.stringify({ loaded: [...loaded], ...result }))`,
  )
  const { stdout } = await promisify(execFile)(process.execPath, ['program.js'], {
    cwd: program,
    env: { ...sameDay(), ...env },
  })
  return JSON.parse(stdout)
}

const loadedBy = (result: Record<string, unknown>): string[] => result['loaded'] as string[]
const HEAVY = /@aws-sdk|@smithy|aws-cdk|hono|@middy|powertools|sqlite|^zod$.*classic|commander|redis/

describe('an installed package', () => {
  test('is imported as plain JavaScript, and loads nothing of AWS, of SQLite or of the server', async () => {
    const names = loadedBy(await run('const result = { names: Object.keys(client) }'))
    expect(names).toContain('undici')
    expect(names).toContain('tokenkeeper')
    expect(names.filter((name) => HEAVY.test(name))).toEqual([])
  })

  test('serves a program over REST, and still loads nothing of AWS', async () => {
    const body = JSON.stringify({ access_token: 'SIMULATED', expires_at: '2099-01-01T00:00:00Z' })
    const server = await startApi(() => ({ status: 200, body }))
    const result = await run(`
      const source = client.restSource({ url: '${server.origin}', apiKey: 'k', account: 'upstox/ACC1' })
      const keeper = client.createClient({ source, hosts: { UPSTOX_API: '${server.origin}' } })
      const reply = await keeper.fetch('/v2/user/profile')
      const result = { status: reply.status, text: await reply.text() }
      await keeper.close()`)
    expect(result).toMatchObject({ status: 200, text: body })
    expect(server.received.map(({ path }) => path)).toEqual([
      '/accounts/upstox/ACC1/token',
      '/v2/user/profile',
    ])
    expect(loadedBy(result).filter((name) => HEAVY.test(name))).toEqual([])
    await server.close()
  })

  test('loads AWS at the first read from SSM, and not before', async () => {
    const server = await startApi(() => ({ status: 400, body: '{"__type":"AccessDeniedException"}' }))
    const result = await run(
      `const source = client.ssmSource({ prefix: '/tokenkeeper', account: 'upstox' })
       const before = [...loaded].some((name) => name.startsWith('@aws-sdk'))
       const error = await source.read().catch((thrown) => thrown)
       const result = { before, code: error.code, fix: error.fix }`,
      { ...AWS, AWS_ENDPOINT_URL: server.origin },
    )
    expect(result).toMatchObject({ before: false, code: 'vault_read' })
    expect(result['fix']).toContain('ssm:GetParameters')
    expect(loadedBy(result)).toContain('@aws-sdk/client-ssm')
    expect(server.received[0]?.body).toContain('/tokenkeeper/upstox/access_token')
    await server.close()
  })

  test('has a refused token renewed by the broker’s function, and reads the new one', async () => {
    let version = 1
    const server = await startApi(({ path, headers }) => {
      if (path.includes('/functions/Tokenkeeper-upstox/invocations')) {
        version = 2
        const result = {
          success: true,
          account: 'upstox',
          outcome: 'refreshed',
          reason: 'r',
          nextAction: 'n',
        }
        return { status: 200, body: JSON.stringify({ results: [result] }) }
      }
      expect(headers['x-amz-target']).toBe('AmazonSSM.GetParameters')
      const Name = '/tokenkeeper/upstox/access_token'
      const token = { Name, Value: `SIMULATED-${version}`, Version: version, LastModifiedDate: 1_795_000_000 }
      return { status: 200, body: JSON.stringify({ Parameters: [token] }) }
    })
    const result = await run(
      `const source = client.ssmSource({
         prefix: '/tokenkeeper', account: 'upstox', functionName: 'Tokenkeeper-upstox',
       })
       const token = await source.report(await source.read())
       const result = { version: token.version, expiresAt: token.expiresAt }`,
      { ...AWS, AWS_ENDPOINT_URL: server.origin },
    )
    expect(result).toMatchObject({ version: 2, expiresAt: '2026-11-18T22:00:00Z' })
    const [event] = server.received.filter(({ path }) => path.includes('invocations'))
    expect(JSON.parse(event?.body ?? '')).toEqual({
      accounts: ['upstox'],
      refused: { version: 1 },
      reason: 'a consumer was refused',
    })
    await server.close()
  })

  test('loads SQLite when a folder of this machine is opened, and not before', async () => {
    const home = join(program, 'home')
    openDatabase(join(home, 'store.db')).close()
    vaultKey(join(home, 'vault.key'))
    const result = await run(`
      const before = loaded.has('node:sqlite')
      const source = await client.openLocalSource({ account: 'fyers', home: ${JSON.stringify(home)} })
      const error = await source.read().catch((thrown) => thrown)
      await source.close()
      const result = { before, code: error.code }`)
    expect(result).toMatchObject({ before: false, code: 'no_token' })
    expect(loadedBy(result)).toContain('node:sqlite')
    expect(loadedBy(result).filter((name) => name.startsWith('@aws-sdk'))).toEqual([])
  })

  test('brings its types', () => {
    writeFileSync(
      join(program, 'program.ts'),
      `import { createClient, PosConnectorClient, restSource, TokenUnavailableError } from 'tokenkeeper/client'
       const source = restSource({ url: 'https://keeper.example', apiKey: 'k', account: 'upstox/ACC1' })
       const client = createClient({ source })
       export const expiry: string = (await client.getToken({ minValidFor: '2h' })).expiresAt?.toString() ?? ''
       export const response: Response = await client.fetch('/v2/user/profile', { json: {} })
       export const id: string = (await new PosConnectorClient({ client }).createInvoice({})).id
       export const actor = (error: TokenUnavailableError): 'person' | 'operator' | 'developer' | 'wait' => error.actor
       // @ts-expect-error: a number is no account
       restSource({ url: '', apiKey: '', account: 7 })`,
    )
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', '--types', 'node']
    const compiler = join(ROOT, 'node_modules/typescript/bin/tsc')
    const output = execFileSync(process.execPath, [compiler, ...options, '--skipLibCheck', 'program.ts'], {
      cwd: program,
      encoding: 'utf8',
    })
    expect(output).toBe('')
  })
})
