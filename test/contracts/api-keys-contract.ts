import { Temporal } from 'temporal-polyfill'
import { beforeEach, describe, expect, test } from 'vitest'
import { parseAccountId } from '../../lib/model/account-id.ts'
import { type ApiKey, isApiKey, newApiKey } from '../../lib/model/api-key.ts'
import type { ApiKeys } from '../../lib/ports/api-keys.ts'

const NOON = Temporal.Instant.from('2026-11-23T12:00:00.123Z')

/** What every store of API keys promises. `open` gives an empty one. */
export function apiKeysContract(adapter: string, open: () => Promise<ApiKeys>): void {
  describe(`${adapter} keeps the promises of a store of API keys`, () => {
    let keys: ApiKeys

    beforeEach(async () => {
      keys = await open()
    })

    const made = (wish: Partial<ApiKey> = {}) =>
      newApiKey({ name: 'a program', scopes: ['status'], createdAt: NOON, ...wish })

    test('a key is found by its id as it was made, with every field there is', async () => {
      const { key } = made({
        name: 'Pâpa’s “bot” $1 {}',
        scopes: ['status', 'validate', 'token', 'refresh', 'update', 'admin'],
        accounts: [parseAccountId('fyers'), parseAccountId('iifl/28748327')],
        expiresAt: NOON.add({ hours: 24 }),
      })
      await keys.create(key)
      expect(await keys.find(key.id)).toEqual(key)
    })

    test('what is absent from a key stays absent', async () => {
      const { key } = made()
      await keys.create(key)
      const found = await keys.find(key.id)
      expect(Object.keys(found ?? {}).toSorted()).toEqual(['createdAt', 'hash', 'id', 'name', 'scopes'])
    })

    test('a key that there is not is not found, whatever it is called', async () => {
      await keys.create(made().key)
      for (const id of ['aaaaaaaaaa', '', "' OR 1=1 --", '\u0000']) {
        expect(await keys.find(`x${id}`)).toBeUndefined()
      }
    })

    test('R2.10 the key itself is nowhere in what is kept, and what is kept recognises it', async () => {
      const { text, key } = made()
      await keys.create(key)
      const [found] = await keys.list()
      expect(JSON.stringify(found)).not.toContain(text.split('_').slice(2).join('_'))
      expect(isApiKey(text, found)).toBe(true)
      expect(isApiKey(made().text, found)).toBe(false)
    })

    test('the list has every key, the oldest first', async () => {
      const ages = [3, 1, 2].map((hours) => made({ createdAt: NOON.add({ hours }), name: `${hours}` }).key)
      for (const key of ages) await keys.create(key)
      expect((await keys.list()).map(({ name }) => name)).toEqual(['1', '2', '3'])
    })

    test('a list of many keys is complete', async () => {
      for (let hours = 0; hours < 120; hours++) {
        await keys.create(made({ name: 'n'.repeat(9_000), createdAt: NOON.add({ hours }) }).key)
      }
      expect(await keys.list()).toHaveLength(120)
    })

    test('a second key of the same id is refused, and the first one stays', async () => {
      const { key } = made()
      await keys.create(key)
      await expect(keys.create({ ...key, scopes: ['admin'] })).rejects.toMatchObject({ code: 'state' })
      expect(await keys.find(key.id)).toEqual(key)
    })

    test('a revoked key is found as revoked, and stays in the list', async () => {
      const { key } = made()
      await keys.create(key)
      const revoked = { ...key, revokedAt: NOON.add({ hours: 1 }) }
      expect(await keys.revoke(key.id, revoked.revokedAt)).toEqual(revoked)
      expect(await keys.find(key.id)).toEqual(revoked)
      expect(await keys.list()).toEqual([revoked])
    })

    test('a second revocation leaves the time of the first', async () => {
      const { key } = made()
      await keys.create(key)
      await keys.revoke(key.id, NOON)
      expect(await keys.revoke(key.id, NOON.add({ hours: 1 }))).toMatchObject({ revokedAt: NOON })
    })

    test('revoking what there is not makes nothing', async () => {
      expect(await keys.revoke('aaaaaaaaaa', NOON)).toBeUndefined()
      expect(await keys.list()).toEqual([])
    })
  })
}
