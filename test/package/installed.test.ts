import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { startApi } from '../client/support/api-server.ts'
import { freePort } from '../support/free-port.ts'
import { Program } from './npm.ts'

/** What a client brings along: AWS' SDK is 29 MB of it, Redis' client 12. It was 454 with the CDK and a Node. */
const MOST_MEGABYTES = 95

const program = new Program()

beforeAll(() => program.install(inject('packed').tarball))
afterAll(() => program.remove())

describe('what npm installs in an empty folder', () => {
  test('is neither the CDK nor a Node nor a development tool, and is small', () => {
    console.info(`npm install tokenkeeper: ${program.installedMegabytes} MB in node_modules`)
    expect(program.installedMegabytes).toBeLessThan(MOST_MEGABYTES)
    const heavy = /^(aws-cdk.*|constructs|cdk-nag|node-(linux|win|darwin).*|node|esbuild|typescript|vitest)$/
    expect(readdirSync(program.path('node_modules')).filter((name) => heavy.test(name))).toEqual([])
  })

  test('is all that the client and the command ever import, however late they do', () => {
    const missing = ['client', 'command']
      .flatMap((entry) => packagesOf(`dist/${entry}`))
      .filter((name) => !existsSync(program.path('node_modules', name)))
    expect(packagesOf('dist/command')).toContain('commander')
    expect(missing).toEqual([])
  })
})

/** The packages that compiled files below a folder of the package import. */
function packagesOf(folder: string): readonly string[] {
  const whole = program.path('node_modules/tokenkeeper', folder)
  const files = readdirSync(whole, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.js'),
  )
  const imported = files.flatMap((name) => [
    ...readFileSync(join(whole, name), 'utf8').matchAll(
      /(?:\bfrom |\bimport\(|\bimport )"((?:@[\w-]+\/)?[\w-]+)[^"]*"/g,
    ),
  ])
  return [...new Set(imported.map(([, name = '']) => name))].filter((name) => name !== 'node')
}

const COMPILED = program.path('node_modules/tokenkeeper/dist/command')

/** The compiled files that main.js imports at once, itself included. */
function startFiles(file = 'main.js', found = new Set<string>()): Set<string> {
  found.add(file)
  for (const [, name = ''] of readFileSync(join(COMPILED, file), 'utf8').matchAll(
    /(?:from|^import) "(\.[^"]+)"/gm,
  )) {
    const imported = join(file, '..', name)
    if (!found.has(imported)) startFiles(imported, found)
  }
  return found
}

describe('the installed command', () => {
  test('says its version and what it can', async () => {
    const { version } = JSON.parse(
      readFileSync(program.path('node_modules/tokenkeeper/package.json'), 'utf8'),
    )
    expect(await program.run(['npx', 'tokenkeeper', '--version'])).toEqual({
      code: 0,
      stdout: `${version}\n`,
      stderr: '',
    })
    const help = await program.run(['npx', 'tokenkeeper', '--help'])
    expect(help).toMatchObject({ code: 0, stderr: '' })
    expect(help.stdout).toMatch(/^Usage: tokenkeeper .*\n[\s\S]*\bsetup .*<account>[\s\S]*\bserve\b/)
  })

  test('reads no simulator, no page and no AWS before a command needs them', () => {
    const start = [...startFiles()].map((name) => readFileSync(join(COMPILED, name), 'utf8')).join('\n')
    expect(start).toContain('Keeps broker access tokens alive')
    const later = ['Simulator', '@aws-sdk/', 'from "hono"', 'node:sqlite']
    expect(later.filter((word) => start.includes(word))).toEqual([])
  })

  test('keeps accounts in the user’s folder, and advises what runs here', async () => {
    expect((await program.run(['npx', 'tokenkeeper', 'status'])).stderr).toBe(
      'No account is set up. To set one up: npx tokenkeeper setup fyers\n',
    )
    const home = join(program.userFolder, '.tokenkeeper')
    expect(existsSync(join(home, 'store.db'))).toBe(true)
    expect(statSync(home).mode & 0o777).toBe(0o700)
    expect(readdirSync(program.path('node_modules/tokenkeeper')).toSorted()).toEqual([
      'LICENSE',
      'README.md',
      'dist',
      'lib',
      'package.json',
    ])
  })

  test('serves, is well to its health check, and ends at SIGTERM', async () => {
    const port = String(await freePort())
    const bin = program.path('node_modules/.bin/tokenkeeper')
    const child = spawn(bin, ['serve', '--port', port, '--home', program.path('home')], {
      cwd: program.folder,
      env: program.env,
    })
    let stderr = ''
    child.stderr.on('data', (chunk) => {
      stderr += chunk
    })
    child.stdout.resume()
    const health = () =>
      fetch(`http://127.0.0.1:${port}/health`).then(
        ({ status }) => status,
        () => undefined,
      )
    await expect.poll(health, { timeout: 60_000 }).toBe(200)
    child.kill('SIGTERM')
    expect(await once(child, 'close')).toEqual([0, null])
    expect(stderr).toBe('')
  })

  test('names the Node it needs where an older one runs it', async () => {
    const old = program.write(
      'old.cjs',
      "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.0.0' } })",
    )
    const bin = program.path('node_modules/tokenkeeper/lib/cli/tokenkeeper.mjs')
    expect(await program.run([process.execPath, '--require', old, bin, '--version'])).toMatchObject({
      code: 5,
      stdout: '',
      stderr: expect.stringMatching(
        /^tokenkeeper needs Node 24, and this is 20\.0\.0\. Fix: .*npm install node-\w+-\w+@24\n$/,
      ),
    })
  })
})

test('a program of ten lines has its token from the client, and calls the broker with it', async () => {
  const body = JSON.stringify({ access_token: 'SIMULATED', expires_at: '2099-01-01T00:00:00Z' })
  const server = await startApi(() => ({ status: 200, body }))
  program.write(
    'program.mjs',
    `import { createClient, restSource } from 'tokenkeeper/client'

const url = '${server.origin}'
const source = restSource({ url, apiKey: 'k', account: 'upstox/ACC1' })
const client = createClient({ source, hosts: { UPSTOX_API: url } })
const token = await client.getToken({ minValidFor: '2h' })
const reply = await client.fetch('/v2/user/profile')
console.log(token.expiresAt.toString(), reply.status)
await client.close()
`,
  )
  expect(await program.run([process.execPath, 'program.mjs'])).toEqual({
    code: 0,
    stdout: '2099-01-01T00:00:00Z 200\n',
    stderr: '',
  })
  expect(server.received.at(-1)).toMatchObject({ path: '/v2/user/profile' })
  await server.close()
})
