import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type AccountId, parseAccountId } from '../../lib/model/account-id.ts'
import { loginLinks, verifyLink } from '../../lib/site/login-links.ts'
import {
  ensureSigningKey,
  rotateSigningKey,
  type SigningKeys,
  storedSigningKeys,
} from '../../lib/site/signing-keys.ts'
import { accountOfWebhookPath, webhookPath } from '../../lib/site/webhook-path.ts'
import { World } from '../support/world.ts'

const SITE = 'https://tokens.example.invalid'
const BINA = parseAccountId('fyers/BINA')
const INCIDENT = 'fyers/BINA@2026-11-23T01:30:00Z'

let world: World
let keys: SigningKeys

beforeEach(async () => {
  world = new World()
  await ensureSigningKey(world.ports.vault)
  keys = storedSigningKeys(world.ports.vault, world.clock)
})
afterEach(() => world.close())

async function link(account: AccountId = BINA): Promise<URL> {
  const links = loginLinks({ keys, siteUrl: SITE, clock: world.clock })
  return new URL((await links.forIncident(account, INCIDENT)) as string)
}

const verdict = async (query: URLSearchParams): Promise<string> =>
  (await verifyLink(query, storedSigningKeys(world.ports.vault, world.clock), world.clock.now())).verdict

describe('a link', () => {
  test('leads to the login page of the site and names account and incident', async () => {
    const { origin, pathname, searchParams } = await link()
    expect(origin + pathname).toBe(`${SITE}/login`)
    expect(await verifyLink(searchParams, keys, world.clock.now())).toEqual({
      verdict: 'valid',
      account: BINA,
      incident: INCIDENT,
    })
  })

  test('is good for a day', async () => {
    const { searchParams } = await link()
    world.clock.advance({ hours: 23, minutes: 59, seconds: 59 })
    expect(await verdict(searchParams)).toBe('valid')
    world.clock.advance({ seconds: 1 })
    expect(await verdict(searchParams)).toBe('expired')
  })

  test('outlives one rotation of the key, and not a second one', async () => {
    const { searchParams } = await link()
    await rotateSigningKey(world.ports.vault)
    expect(await verdict(searchParams)).toBe('valid')
    await rotateSigningKey(world.ports.vault)
    expect(await verdict(searchParams)).toBe('forged')
  })

  test('is missing where there is no key to sign with', async () => {
    const none = storedSigningKeys(new World().ports.vault, world.clock)
    const links = loginLinks({ keys: none, siteUrl: SITE, clock: world.clock })
    expect(await links.forIncident(BINA, INCIDENT)).toBeUndefined()
  })

  test.each<[string, (query: URLSearchParams) => void]>([
    ['another account', (query) => query.set('account', 'fyers')],
    ['another incident', (query) => query.set('incident', 'other')],
    ['a later end', (query) => query.set('until', String(Number(query.get('until')) + 1))],
    ['an end that is written in another way', (query) => query.set('until', `0${query.get('until')}`)],
    ['no end', (query) => query.delete('until')],
    ['an end that is none', (query) => query.set('until', 'NaN')],
    ['no account', (query) => query.delete('account')],
    ['no incident', (query) => query.delete('incident')],
    ['another key', (query) => query.set('key', 'made-up')],
    ['no key', (query) => query.delete('key')],
    ['an empty signature', (query) => query.set('sig', '')],
    ['a shorter signature', (query) => query.set('sig', query.get('sig')?.slice(0, -1) ?? '')],
    ['a changed signature', (query) => query.set('sig', changed(query.get('sig') ?? ''))],
    [
      'fields that moved into their neighbours',
      (query) => {
        query.set('account', `${query.get('account')}","x`)
      },
    ],
  ])('with %s is forged', async (_, change) => {
    const { searchParams } = await link()
    change(searchParams)
    expect(await verdict(searchParams)).toBe('forged')
  })

  test('without a signature claims nothing', async () => {
    const { searchParams } = await link()
    searchParams.delete('sig')
    expect(await verdict(searchParams)).toBe('unsigned')
    expect(await verdict(new URLSearchParams())).toBe('unsigned')
  })
})

describe('the path of a webhook', () => {
  const lastPart = (path: string | undefined): string => path?.split('/').at(-1) ?? ''

  test('is one account’s, stays what it is, and cannot be guessed from another one', async () => {
    const account = parseAccountId('upstox/ACC1')
    const path = await webhookPath(keys, account)
    expect(path).toMatch(/^\/webhook\/upstox\/[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}$/)
    world.clock.advance({ hours: 24 * 400 })
    expect(await webhookPath(keys, account)).toBe(path)
    expect(await accountOfWebhookPath(keys, 'upstox', lastPart(path))).toBe(account)
    const [, sig] = lastPart(path).split('.')
    const other = Buffer.from('upstox/ACC2').toString('base64url')
    expect(await accountOfWebhookPath(keys, 'upstox', `${other}.${sig}`)).toBeUndefined()
  })

  test('is of one broker only', async () => {
    const path = lastPart(await webhookPath(keys, parseAccountId('upstox/ACC1')))
    expect(await accountOfWebhookPath(keys, 'fyers', path)).toBeUndefined()
  })

  test('outlives one rotation, in which the new one can be registered', async () => {
    const account = parseAccountId('upstox')
    const registered = lastPart(await webhookPath(keys, account))
    await rotateSigningKey(world.ports.vault)
    keys = storedSigningKeys(world.ports.vault, world.clock)
    const next = lastPart(await webhookPath(keys, account))
    expect(next).not.toBe(registered)
    expect(await accountOfWebhookPath(keys, 'upstox', registered)).toBe(account)
    await rotateSigningKey(world.ports.vault)
    keys = storedSigningKeys(world.ports.vault, world.clock)
    expect(await accountOfWebhookPath(keys, 'upstox', registered)).toBeUndefined()
    expect(await accountOfWebhookPath(keys, 'upstox', next)).toBe(account)
  })

  test.each(['', '.', 'a.b', '..', '%2e%2e', 'dXBzdG94.', '.AAAA', 'é.é'])(
    '%j is nobody’s',
    async (guess) => {
      expect(await accountOfWebhookPath(keys, 'upstox', guess)).toBeUndefined()
    },
  )
})

function changed(sig: string): string {
  return (sig.startsWith('A') ? 'B' : 'A') + sig.slice(1)
}
