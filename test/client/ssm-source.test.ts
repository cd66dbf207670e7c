import { Temporal } from 'temporal-polyfill'
import { beforeEach, describe, expect, test } from 'vitest'
import { createClient, type RefreshEvent, ssmSource, type TokenSource } from '../../lib/client/index.ts'
import { TokenVaultError } from '../../lib/model/errors.ts'
import { Secret } from '../../lib/model/secrets/secret.ts'
import type { SecretName } from '../../lib/model/secrets/secret-name.ts'
import type { StoredSecret, StoredSecrets } from '../../lib/ports/token-vault.ts'
import { simulatedJwt } from '../../lib/simulators/kit/simulated-token.ts'
import { VirtualClock } from '../../lib/simulators/kit/virtual-clock.ts'

const START = '2026-11-23T08:00:00+05:30'
let clock: VirtualClock
let parameters: Map<SecretName, StoredSecret>
let reads: (readonly SecretName[])[]
let events: RefreshEvent[]
/** What the next reads find instead of what is stored, as SSM's copies lag behind. */
let stale: StoredSecrets[]
let denied: SecretName | undefined
let reply: () => unknown

beforeEach(() => {
  clock = new VirtualClock(START)
  parameters = new Map()
  reads = []
  events = []
  stale = []
  denied = undefined
  reply = () => report('fresh')
})

function put(name: SecretName, value: string, version = 1): void {
  parameters.set(name, { value: new Secret(value), version, modifiedAt: clock.now() })
}

function report(outcome: string, more: object = {}): unknown {
  const result = { success: true, account: 'upstox/ACC1', outcome, reason: 'said so', nextAction: 'do it' }
  return { success: true, message: '', results: [{ ...result, ...more }] }
}

function source(options: Partial<Parameters<typeof ssmSource>[0]> = {}): TokenSource {
  return ssmSource({
    prefix: '/stock-pipeline',
    account: 'upstox/ACC1',
    clock,
    vault: {
      async read(_account, names) {
        reads.push(names)
        if (denied && names.includes(denied)) {
          throw new TokenVaultError('SSM refused GetParameters', { during: 'read', fix: 'allow it' })
        }
        const found = stale.shift() ?? parameters
        return new Map([...found].filter(([name]) => names.includes(name)))
      },
    },
    invoke: async (event) => {
      events.push(event)
      return reply()
    },
    ...options,
  })
}

const upstoxToken = (serial: number): string =>
  simulatedJwt(
    { sub: 'SIM001', serial },
    { issuedAt: clock.now(), expiresAt: at('2026-11-24T03:30:00+05:30') },
  )

const at = (instant: string): Temporal.Instant => Temporal.Instant.from(instant)

describe('SSM', () => {
  test('is read once for token and companions, and the expiry worked out by the session model', async () => {
    put('access_token', upstoxToken(1), 7)
    put('session', '{"api_server":"https://api01.example.invalid/"}')
    put('refresh_token', 'CANARY-refresh-token')
    const token = await source().read()
    expect(reads).toEqual([['access_token', 'session']])
    expect(token).toMatchObject({ account: 'upstox/ACC1', broker: 'upstox', version: 7 })
    expect(token.generation).toBeUndefined()
    expect(token.session?.reveal()).toContain('api01')
    expect(token.expiresAt?.equals(at('2026-11-24T03:30:00+05:30'))).toBe(true)
    expect(token.authorization?.reveal()).toMatch(/^Bearer /)
  })

  test('counts the owner’s ceiling on a token’s age', async () => {
    put('access_token', upstoxToken(1))
    const token = await source({ maxLifetimeHours: 12 }).read()
    expect(token.expiresAt?.equals(at('2026-11-23T20:00:00+05:30'))).toBe(true)
  })

  test('does not guess how long an opaque token lives whose reply only the keeper has seen', async () => {
    put('access_token', '17|simulatedplaintexttoken')
    expect((await source({ account: 'pos-connector' }).read()).expiresAt).toBeUndefined()
    put('access_token', simulatedJwt({}, { issuedAt: clock.now(), expiresAt: at('2026-11-23T12:00:00Z') }))
    expect((await source({ account: 'pos-connector' }).read()).expiresAt).toBeDefined()
  })

  test('gives the app’s id where the header names it and this program may read it', async () => {
    put('access_token', upstoxToken(1))
    put('client_id', 'ABCDEFGH12-100')
    const token = await source({ account: 'fyers' }).read()
    expect(reads).toEqual([['access_token', 'session', 'client_id']])
    expect(token.authorization?.reveal()).toMatch(/^ABCDEFGH12-100:/)
  })

  test('that refuses the app’s id is read without it from then on', async () => {
    put('access_token', upstoxToken(1))
    denied = 'client_id'
    const fyers = source({ account: 'fyers' })
    expect((await fyers.read()).authorization).toBeUndefined()
    await fyers.read()
    expect(reads.map((names) => names.length)).toEqual([3, 2, 2])
    const told = source({ account: 'fyers', clientId: 'ABCDEFGH12-100' })
    expect((await told.read()).authorization?.reveal()).toMatch(/^ABCDEFGH12-100:/)
  })

  test('that refuses the token itself is an error', async () => {
    denied = 'access_token'
    await expect(source().read()).rejects.toThrow('SSM refused')
    await expect(source({ account: 'fyers' }).read()).rejects.toThrow('SSM refused')
  })

  test('without a token says so', async () => {
    await expect(source().read()).rejects.toMatchObject({ code: 'no_token' })
  })

  test('whose copies lag behind is read again, and never gives an older token than it gave before', async () => {
    put('access_token', upstoxToken(1), 1)
    const older = new Map(parameters)
    clock.advance({ minutes: 1 })
    put('access_token', upstoxToken(2), 2)
    const one = source()
    expect((await one.read()).version).toBe(2)
    stale = [older, older]
    expect((await one.read()).version).toBe(2)
  })

  test('where somebody deleted the token and a new one begins to count anew, gives the new one', async () => {
    put('access_token', upstoxToken(1), 9)
    const one = source()
    await one.read()
    clock.advance({ minutes: 1 })
    put('access_token', upstoxToken(2), 1)
    expect((await one.read()).version).toBe(1)
    expect(reads).toHaveLength(2)
  })
})

describe('a refused token', () => {
  test('is reported to the broker’s function by its version, and the new one read as soon as SSM shows it', async () => {
    put('access_token', upstoxToken(1), 1)
    const one = source()
    const refused = await one.read()
    const older = new Map(parameters)
    reply = () => {
      put('access_token', upstoxToken(2), 2)
      stale = [older]
      return report('refreshed')
    }
    expect((await one.report(refused))?.version).toBe(2)
    expect(events).toEqual([
      { accounts: ['upstox/ACC1'], refused: { version: 1 }, reason: 'a consumer was refused' },
    ])
  })

  test('that was replaced meanwhile costs no invocation', async () => {
    put('access_token', upstoxToken(1), 1)
    const one = source()
    const refused = await one.read()
    put('access_token', upstoxToken(2), 2)
    expect((await one.report(refused))?.version).toBe(2)
    expect(events).toEqual([])
  })

  test('that the function finds alive stays', async () => {
    put('access_token', upstoxToken(1), 1)
    const one = source()
    expect((await one.report(await one.read()))?.version).toBe(1)
  })

  test.each([
    ['awaiting_login', {}, 'awaiting_login', 'person'],
    ['failed', { code: 'client_rejected' }, 'client_rejected', 'operator'],
    ['failed', { code: 'broker_unavailable' }, 'broker_unavailable', 'wait'],
    ['ambiguous', {}, 'ambiguous', 'wait'],
    ['paused', {}, 'paused', 'operator'],
    ['skipped', {}, 'busy', 'wait'],
  ])('whose run ends %s %o is told as %s, for the %s', async (outcome, more, code, actor) => {
    put('access_token', upstoxToken(1))
    const one = source()
    const refused = await one.read()
    reply = () => report(outcome, more)
    await expect(one.report(refused)).rejects.toMatchObject({ code, actor })
  })

  test.each([
    ['something that is no report', {}, 'response_unexpected'],
    ['a report about another account', report('fresh', { account: 'upstox/ACC2' }), 'response_unexpected'],
    ['a refusal', { refused: true, code: 'broker_unavailable', reason: 'r', fix: 'f' }, 'broker_unavailable'],
  ])('that is answered with %s is told as such', async (_what, answer, code) => {
    put('access_token', upstoxToken(1))
    const one = source()
    const refused = await one.read()
    reply = () => answer
    await expect(one.report(refused)).rejects.toMatchObject({ code })
  })

  test('of a program that was told of no function says who must act', async () => {
    put('access_token', upstoxToken(1))
    const one = ssmSource({
      prefix: '/stock-pipeline',
      account: 'upstox/ACC1',
      clock,
      vault: { read: async () => parameters },
    })
    await expect(one.report(await one.read())).rejects.toMatchObject({
      code: 'cannot_renew',
      actor: 'operator',
      fix: expect.stringContaining('functionName'),
    })
  })
})

describe('a program on SSM', () => {
  test('R3.3 R2.7 reads FYERS’ parameters as they always were, and has a dead token renewed by force or by report', async () => {
    put('access_token', upstoxToken(1), 1)
    reply = () => {
      clock.advance({ seconds: 1 })
      put('access_token', upstoxToken(2), 2)
      return report('refreshed')
    }
    const client = createClient({ source: source(), clock })
    expect((await client.getToken({ until: 'close' })).version).toBe(1)
    expect((await client.refreshToken()).version).toBe(2)
    expect(events).toEqual([{ accounts: ['upstox/ACC1'], force: true, reason: 'a consumer asks' }])
    await client.close()
  })
})
