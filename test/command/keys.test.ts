import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { apiKeyIdIn } from '../../lib/model/api-key.ts'
import { CommandLine } from './command.ts'

let line: CommandLine

beforeAll(async () => {
  line = await CommandLine.start()
  await line.run(['setup', 'fyers', '--no-refresh'], {
    stdin: '',
    env: { FYERS_CLIENT_ID: 'SIMULATED01-100', FYERS_APP_SECRET: 'SIMULATED-secret' },
  })
})
afterAll(() => line.close())

const create = (...more: string[]) => line.run(['keys', 'create', '--name', 'order bot', ...more])
const list = async () => JSON.parse((await line.run(['keys', 'list', '--json'])).stdout).keys

describe('tokenkeeper keys create', () => {
  test('prints the key and nothing else to stdout, and what it opens to stderr', async () => {
    const made = await create('--scope', 'status,token', '--all-accounts', '--expires', '90d')
    expect(made.code).toBe(0)
    expect(made.stdout).toMatch(/^tk_[a-z2-7]{10}_[A-Za-z0-9_-]{43}\n$/)
    expect(made.stderr).toContain('only time')
    expect(made.stderr).toContain('status, token of all accounts, until Sun 21 Feb')
    expect(made.stderr).not.toContain(made.stdout.trim())
  })

  test('R2.10 leaves nothing behind that opens anything', async () => {
    const { stdout } = await create('--scope', 'admin', '--all-accounts')
    const id = apiKeyIdIn(stdout.trim())
    const listed = await line.run(['keys', 'list', '--json'])
    expect(listed.stdout).toContain(id)
    expect(listed.stdout).not.toContain(stdout.trim().slice(14))
    expect(listed.stdout).not.toContain('hash')
  })

  test('with --json has everything in one object', async () => {
    const { stdout } = await create('--scope', 'refresh', '--scope', 'token', '--all-accounts', '--json')
    expect(JSON.parse(stdout)).toEqual({
      success: true,
      key: expect.stringMatching(/^tk_/),
      id: expect.any(String),
      name: 'order bot',
      scopes: ['token', 'refresh'],
      accounts: null,
      createdAt: expect.stringMatching(/^2026-11-23T01:/),
      expiresAt: null,
      revokedAt: null,
      state: 'active',
    })
  })

  test.each([
    ['no scope', ['--all-accounts'], 'at least one scope'],
    ['a scope there is not', ['--scope', 'root', '--all-accounts'], '"root" is no scope'],
    ['no word about accounts', ['--scope', 'token'], 'which accounts'],
    ['both words about accounts', ['--scope', 'token', '--account', 'fyers', '--all-accounts'], 'exclude'],
    [
      'an account that is not set up',
      ['--scope', 'token', '--account', 'fyers/papa'],
      'fyers/papa is not set up',
    ],
    ['a broker there is not', ['--scope', 'token', '--account', 'nobody'], 'nobody'],
    ['an end nobody can read', ['--scope', 'token', '--all-accounts', '--expires', 'soon'], '"soon"'],
    ['an end at once', ['--scope', 'token', '--all-accounts', '--expires', '0d'], '"0d"'],
    ['an end in another century', ['--scope', 'token', '--all-accounts', '--expires', '99999d'], 'ten years'],
    ['an empty name', ['--name', ' ', '--scope', 'token', '--all-accounts'], 'needs a name'],
  ])('refuses %s as wrong usage, and makes nothing', async (_, args, words) => {
    const before = (await list()).length
    const refused = await create(...args)
    expect(refused.code).toBe(2)
    expect(refused.stdout).toBe('')
    expect(refused.stderr).toContain(words)
    expect((await list()).length).toBe(before)
  })
})

describe('tokenkeeper keys list and revoke', () => {
  test('show whom a key is for, and end it', async () => {
    const created = await line.run(
      ['keys', 'create', '--name', 'dashboard', '--scope', 'status', '--account', 'fyers', '--json'],
      {},
    )
    const { id, accounts } = JSON.parse(created.stdout)
    expect(accounts).toEqual(['fyers'])

    const revoked = await line.run(['keys', 'revoke', id])
    expect(revoked).toMatchObject({ code: 0, stdout: `${id} (dashboard) is revoked.\n` })
    const found = (await list()).find((key: { id: string }) => key.id === id)
    expect(found).toMatchObject({ state: 'revoked', revokedAt: expect.any(String) })
    const table = await line.run(['keys', 'list'])
    expect(table.stdout).toMatch(new RegExp(`${id}\\s+dashboard\\s+revoked\\s+status\\s+never\\s+fyers`))
  })

  test('an id there is not is wrong usage', async () => {
    const refused = await line.run(['keys', 'revoke', 'aaaaaaaaaa'])
    expect(refused.code).toBe(2)
    expect(refused.stderr).toContain('keys list')
  })
})
