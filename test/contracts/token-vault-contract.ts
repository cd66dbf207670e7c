import { inspect } from 'node:util'
import type { Temporal } from 'temporal-polyfill'
import { beforeEach, describe, expect, test } from 'vitest'
import { parseAccountId } from '../../lib/model/account-id.ts'
import { TokenVaultError } from '../../lib/model/errors.ts'
import { Secret } from '../../lib/model/secrets/secret.ts'
import type { SecretName } from '../../lib/model/secrets/secret-name.ts'
import type { TokenVault } from '../../lib/ports/token-vault.ts'

/** An empty vault, and the time by which it stamps its writes. */
export interface VaultUnderTest {
  readonly vault: TokenVault
  readonly now: () => Temporal.Instant
}

const ACCOUNT = parseAccountId('fyers')
const CANARY = 'canary-ey.Zm9v-0123456789'
/** How far a vault's clock may be from ours, in milliseconds. */
const CLOCK_TOLERANCE_MS = 2_000

const ELEVEN_NAMES: readonly SecretName[] = [
  'client_id',
  'client_secret',
  'redirect_uri',
  'user_id',
  'password',
  'pin',
  'totp_secret',
  'email',
  'refresh_token',
  'access_token',
  'session',
]

const VALUES: readonly (readonly [string, string])[] = [
  ['text in other scripts', 'पासवर्ड-密码-🔐-é-e\u0301'],
  ['quotes, backslashes and shell signs', `'"\`\\n$HOME %s & <x>; --`],
  ['spaces, tabs and line breaks inside', 'first\tline\r\nsecond line'],
  ['a token of 5 kB', `ey${'Ab9_-'.repeat(1024)}`],
  ['8192 bytes, the longest there is', 'x'.repeat(8192)],
  [
    'JSON with companions of a token',
    '{"access_token":"a","api_server":"https://api01.example/","n":[1,null]}',
  ],
  ['a value that looks like a number', '0412'],
]

/** What every token vault promises. `open` gives an empty one. */
export function tokenVaultContract(adapter: string, open: () => Promise<VaultUnderTest>): void {
  describe(`${adapter} keeps the promises of a token vault`, () => {
    let vault: TokenVault
    let now: VaultUnderTest['now']

    beforeEach(async () => {
      ;({ vault, now } = await open())
    })

    const put = (value: string, name: SecretName = 'access_token', account = ACCOUNT) =>
      vault.write(account, name, new Secret(value))
    const stored = async (name: SecretName = 'access_token', account = ACCOUNT) =>
      (await vault.read(account, [name])).get(name)
    const text = async (name: SecretName = 'access_token', account = ACCOUNT) =>
      (await stored(name, account))?.value.reveal()

    test('a name that is not stored is absent, and asking for none gives none', async () => {
      await put('PIN-0412', 'pin')
      const found = await vault.read(ACCOUNT, ['access_token', 'pin'])
      expect([...found.keys()]).toEqual(['pin'])
      expect((await vault.read(ACCOUNT, [])).size).toBe(0)
    })

    test.each(['SIMULATED-value\n', '  SIMULATED-value\r\n', '\ufeffSIMULATED-value '])(
      'a line break that a console left around it is none of it: %j',
      async (value) => {
        await put(value)
        expect(await text()).toBe('SIMULATED-value')
      },
    )

    test.each(VALUES)('%s survives byte for byte', async (_, value) => {
      await put(value)
      expect(await text()).toBe(value)
    })

    test('each write of a name counts its version up, and a read tells the last one', async () => {
      expect(await put('first-value')).toEqual({ version: 1 })
      expect(await put('second-value')).toEqual({ version: 2 })
      expect(await put('second-value')).toEqual({ version: 3 })
      expect(await put('other-name', 'refresh_token')).toEqual({ version: 1 })
      expect(await stored()).toMatchObject({ version: 3 })
      expect(await text()).toBe('second-value')
    })

    test('a read tells when the value was written', async () => {
      const before = now()
      await put('first-value')
      const modifiedAt = (await stored())?.modifiedAt
      expect(modifiedAt?.epochMilliseconds).toBeGreaterThanOrEqual(
        before.epochMilliseconds - CLOCK_TOLERANCE_MS,
      )
      expect(modifiedAt?.epochMilliseconds).toBeLessThanOrEqual(now().epochMilliseconds + CLOCK_TOLERANCE_MS)
    })

    test('a removed value is gone and its next version is 1 again', async () => {
      await put('first-value')
      await put('second-value')
      await vault.remove(ACCOUNT, 'access_token')
      expect(await stored()).toBeUndefined()
      expect(await put('third-value')).toEqual({ version: 1 })
    })

    test('removing what is not there is no error', async () => {
      await vault.remove(ACCOUNT, 'access_token')
      await vault.remove(ACCOUNT, 'access_token')
      expect(await stored()).toBeUndefined()
    })

    test('accounts and brokers do not see, overwrite or remove each other’s values', async () => {
      const accounts = ['iifl', 'iifl/28748327', 'iifl/access_token', 'iifl-xts', 'fyers'].map(parseAccountId)
      for (const account of accounts) await put(`value of ${account}`, 'access_token', account)
      await vault.remove(parseAccountId('iifl/28748327'), 'access_token')
      expect(await Promise.all(accounts.map((account) => text('access_token', account)))).toEqual([
        'value of iifl',
        undefined,
        'value of iifl/access_token',
        'value of iifl-xts',
        'value of fyers',
      ])
    })

    test('ten names are one read, more are refused', async () => {
      for (const name of ELEVEN_NAMES) await put(`value of ${name}`, name)
      expect((await vault.read(ACCOUNT, ELEVEN_NAMES.slice(0, 10))).size).toBe(10)
      await expect(vault.read(ACCOUNT, ELEVEN_NAMES)).rejects.toMatchObject({
        name: 'TokenVaultError',
        code: 'vault_read',
      })
    })

    test('a name asked for twice is read once', async () => {
      await put('first-value')
      expect((await vault.read(ACCOUNT, ['access_token', 'access_token'])).size).toBe(1)
    })

    test.each([
      ['an empty value', '', '0 bytes'],
      ['a value of 8193 bytes', CANARY.padEnd(8193, 'x'), '8193 bytes'],
      ['8192 characters of more bytes than that', `${CANARY}é`.padEnd(8192, 'x'), '8193 bytes'],
    ])('%s is refused with its size, and what is stored stays', async (_, value, size) => {
      await put('first-value')
      const error = await put(value).catch((caught: unknown) => caught)
      expect(error).toBeInstanceOf(TokenVaultError)
      expect(error).toMatchObject({ code: 'vault_write', message: expect.stringContaining(size) })
      expect(inspect(error)).not.toContain(CANARY)
      expect(await text()).toBe('first-value')
    })

    test('writes at the same time are all counted, and one of the values stands', async () => {
      const values = Array.from({ length: 5 }, (_, writer) => `value of writer ${writer}`)
      const written = await Promise.all(values.map((value) => put(value)))
      expect(written.map(({ version }) => version).toSorted()).toEqual([1, 2, 3, 4, 5])
      expect(values).toContain(await text())
    })

    test('what was read shows no value when it is printed or serialised', async () => {
      await put(CANARY)
      const found = await stored()
      expect(found?.value.reveal()).toBe(CANARY)
      expect(inspect(found, { depth: 9, showHidden: true }) + JSON.stringify(found)).not.toContain(CANARY)
    })
  })
}
