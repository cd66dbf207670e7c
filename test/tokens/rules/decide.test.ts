import fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { describe, expect, test } from 'vitest'
import type { AccountState, RefusedToken } from '../../../lib/model/account-state.ts'
import { Secret } from '../../../lib/model/secret.ts'
import type { SecretName } from '../../../lib/model/secret-name.ts'
import type { Broker } from '../../../lib/ports/broker.ts'
import { decide } from '../../../lib/tokens/rules/decide/decide.ts'
import type { Decision, Situation } from '../../../lib/tokens/rules/decide/decision.ts'

import { ALL, block, LADDER, LOGIN, NOW, REFRESH, state, stored } from './ladder-broker.ts'

const DUE = 30
const DEAD = -1
const cases: readonly (readonly [string, AccountState, readonly SecretName[], boolean, Partial<Decision>])[] =
  [
    ['live', state(), ALL, false, { action: 'fresh' }],
    ['live, forced', state(), ALL, true, { action: 'refresh', reason: 'forced', grant: REFRESH }],
    ['due', state({}, DUE), ALL, false, { action: 'refresh', grant: REFRESH }],
    ['dead', state({}, DEAD), ALL, false, { action: 'refresh', reason: 'the access token has expired' }],
    [
      'deleted',
      state(),
      ['client_id', 'refresh_token'],
      false,
      { action: 'refresh', reason: 'no access token is stored' },
    ],
    ['written by somebody else', state({ accessToken: undefined as never }), ALL, false, { action: 'probe' }],
    [
      'written by somebody else and refused',
      state({ accessToken: undefined as never, refusedVersion: 3 }),
      ALL,
      false,
      { action: 'refresh', grant: REFRESH },
    ],
    ['external', state({ settings: { managedBy: 'external' } }, DEAD), ALL, true, { action: 'skip' }],
    ['paused', state({ paused: { since: NOW } }, DEAD), ALL, true, { action: 'paused' }],
    [
      'leased by another run',
      state({ lease: { owner: 'x', until: NOW.add({ seconds: 9 }) } }, DEAD),
      ALL,
      false,
      { action: 'skip' },
    ],
    [
      'leased by a dead run',
      state({ lease: { owner: 'x', until: NOW } }, DEAD),
      ALL,
      false,
      { action: 'refresh' },
    ],
    [
      'live and leased',
      state({ lease: { owner: 'x', until: NOW.add({ hours: 1 }) } }),
      ALL,
      false,
      { action: 'fresh' },
    ],
    [
      'without a refresh token',
      state({}, DEAD),
      ['client_id', 'password'],
      false,
      { action: 'refresh', grant: LOGIN },
    ],
    ['without any grant', state({}, DEAD), ['client_id'], false, { action: 'ask' }],
    [
      'without its required credential',
      state({}, DEAD),
      ['password'],
      false,
      { action: 'stop', code: 'configuration_invalid' },
    ],
    [
      'with an expired refresh token',
      state({ refreshToken: { expiresAt: NOW, savedAt: NOW, version: 3 } }, DEAD),
      ALL,
      false,
      { action: 'refresh', grant: LOGIN },
    ],
    [
      'with an expired refresh token that was replaced by hand',
      state({ refreshToken: { expiresAt: NOW, savedAt: NOW, version: 2 } }, DEAD),
      ALL,
      false,
      { action: 'refresh', grant: REFRESH },
    ],
    [
      'refused grant',
      state({ blocks: { refresh_token: block('grant_rejected') } }, DEAD),
      ALL,
      false,
      { action: 'refresh', grant: LOGIN },
    ],
    [
      'refused grant, forced',
      state({ blocks: { refresh_token: block('grant_rejected') } }, DEAD),
      ALL,
      true,
      { grant: LOGIN },
    ],
    [
      'wrong secret, forced',
      state({ blocks: { refresh_token: block('human_action') } }, DEAD),
      ALL,
      true,
      { action: 'stop', code: 'human_action', fix: 'mend it' },
    ],
    [
      'blocked account, forced',
      state({ blocks: { refresh_token: block('human_action', { forcible: true }) } }, DEAD),
      ALL,
      true,
      { action: 'refresh', grant: REFRESH },
    ],
    [
      'refused app, yesterday',
      state({ blocks: { refresh_token: block('client_rejected', { until: NOW }) } }, DEAD),
      ALL,
      false,
      { action: 'refresh', grant: REFRESH },
    ],
    [
      'wrong secret that was changed since',
      state(
        {
          blocks: {
            refresh_token: block('human_action', { stamps: { client_id: 'older', refresh_token: 'older' } }),
          },
        },
        DEAD,
      ),
      ALL,
      false,
      { action: 'refresh', grant: REFRESH },
    ],
    [
      'throttled and written by somebody else',
      state({ accessToken: undefined as never, notBefore: NOW.add({ minutes: 5 }) }),
      ALL,
      false,
      { action: 'wait', live: false },
    ],
    [
      'throttled and dead',
      state({ notBefore: NOW.add({ minutes: 5 }) }, DEAD),
      ALL,
      false,
      { action: 'wait', live: false },
    ],
    [
      'throttled and due',
      state({ notBefore: NOW.add({ minutes: 5 }) }, DUE),
      ALL,
      false,
      { action: 'wait', live: true },
    ],
    [
      'tried a moment ago',
      state({ attempts: [NOW.subtract({ seconds: 59 })] }, DEAD),
      ALL,
      true,
      { action: 'wait' },
    ],
    [
      'out of its hourly budget',
      state({ attempts: [NOW.subtract({ minutes: 50 }), NOW.subtract({ minutes: 5 })] }, DEAD),
      ALL,
      false,
      { action: 'wait', until: NOW.add({ minutes: 10 }) },
    ],
    [
      'live, and out of its daily budget until midnight in the broker’s zone',
      state({ attempts: [2, 3, 4, 5].map((hours) => NOW.subtract({ hours })) }, DUE),
      ALL,
      false,
      { action: 'wait', until: Temporal.Instant.from('2026-11-24T00:00:00+05:30') },
    ],
    [
      'dead, and out of its daily budget, so that only a person can still help today',
      state({ attempts: [2, 3, 4, 5].map((hours) => NOW.subtract({ hours })) }, DEAD),
      ALL,
      false,
      { action: 'ask', reason: expect.stringContaining('4 logins per day are spent') },
    ],
  ]

describe('decide', () => {
  test.each(cases)('an account that is %s', (_, account, names, force, expected) => {
    const decision = decide({
      broker: LADDER,
      state: account,
      stored: stored(...names),
      now: NOW,
      forcedAt: force ? NOW : undefined,
    })
    expect(decision).toMatchObject(expected)
  })

  describe('a hold', () => {
    const notBefore = NOW.add({ minutes: 5 })
    const doubt = { since: NOW.subtract({ minutes: 3 }), by: 'login' } as const
    const stamps = block('ambiguous').stamps
    const ambiguous = { grant: 'refresh_token', at: NOW, repeats: 0, stamps, probed: false } as const
    const provenAt = NOW.subtract({ minutes: 3 })
    const token = state().accessToken as NonNullable<AccountState['accessToken']>
    const provenEarlier = { accessToken: { ...token, provenAt } }
    const kept = new Map(stored(...ALL)).set('pending', {
      value: new Secret(
        JSON.stringify({ accessToken: 'sim-minted', sentAt: NOW.subtract({ minutes: 1 }), source: 'login' }),
      ),
      version: 1,
      modifiedAt: NOW,
    })

    test.each<[string, boolean, Partial<Situation>]>([
      ['kept and not published', false, { stored: kept }],
      ['deleted', false, { stored: stored('client_id', 'refresh_token') }],
      [
        'somebody else’s, by force',
        false,
        { state: state({ accessToken: undefined as never }), forcedAt: NOW },
      ],
      ['refused by the broker', false, { state: state({ refusedVersion: 3 }) }],
      ['in doubt', false, { state: state({ doubt, ...provenEarlier }) }],
      ['due after a grant of unknown fate', true, { state: state({ ambiguous }, DUE) }],
      ['fresh, by force', true, { forcedAt: NOW }],
      ['about to expire, by force', false, { state: state({}, 1), forcedAt: NOW }],
      ['due', true, { state: state({}, DUE) }],
      ['reported by a consumer', true, { state: state(provenEarlier), refused: { version: 3 } }],
    ])('of an account whose token is %s says whether that token lives: %s', (_, live, situation) => {
      const common = { broker: LADDER, state: state(), stored: stored(...ALL), now: NOW, ...situation }
      const decision = decide({ ...common, state: { ...common.state, notBefore } })
      expect(decision).toMatchObject({ action: 'wait', live, until: notBefore })
    })
  })

  test.each([
    ['issued', { issuedAt: NOW.add({ seconds: 1 }), publishedAt: NOW }, 'fresh'],
    ['published', { issuedAt: NOW.subtract({ hours: 1 }), publishedAt: NOW.add({ seconds: 1 }) }, 'fresh'],
    ['neither issued nor published', { issuedAt: NOW, publishedAt: NOW }, 'refresh'],
    ['issued, by a clock that is ahead,', { issuedAt: NOW, publishedAt: NOW.add({ minutes: 3 }) }, 'refresh'],
  ])('a token that was %s after somebody insisted on a new one satisfies them: %s', (_, times, action) => {
    const { accessToken } = state()
    const account = state({ accessToken: { ...accessToken, ...times } as never })
    expect(
      decide({ broker: LADDER, state: account, stored: stored(...ALL), now: NOW, forcedAt: NOW }),
    ).toMatchObject({ action })
  })

  describe('a consumer’s report', () => {
    const reported = (refused: RefusedToken, secondsAgo: number): Decision => {
      const account = state({ generation: 4 })
      const provenAt = NOW.subtract({ seconds: secondsAgo })
      const accessToken = { ...account.accessToken, provenAt } as never
      return decide({
        broker: LADDER,
        state: { ...account, accessToken },
        stored: stored(...ALL),
        now: NOW,
        refused,
      })
    }

    test.each<[RefusedToken, string]>([
      [{ generation: 4 }, 'probe'],
      [{ generation: 3 }, 'fresh'],
      [{ version: 3 }, 'probe'],
      [{ version: 2 }, 'fresh'],
    ])('about %j is about the token that is published: %s', (refused, action) => {
      expect(reported(refused, 600)).toMatchObject({ action })
      expect(reported(refused, 0)).toMatchObject({ action: 'fresh' })
    })

    test.each([
      [60, 'fresh'],
      [61, 'probe'],
      [-1, 'probe'],
      [-120, 'probe'],
    ])('is worth a call when the last proof was %i s ago: %s', (secondsAgo, action) => {
      expect(reported({ version: 3 }, secondsAgo)).toMatchObject({ action })
    })
  })

  test.each([
    ['login', 'a login'],
    ['given', 'a login'],
    ['approval', 'a request for approval'],
    ['credentials', 'a renewal'],
  ] as const)('a doubt by %s is told as %s', (by, what) => {
    const doubt = { since: NOW, by }
    const account = state({ doubt })
    const accessToken = { ...account.accessToken, provenAt: NOW.subtract({ minutes: 2 }) } as never
    expect(
      decide({ broker: LADDER, state: { ...account, accessToken }, stored: stored(...ALL), now: NOW }),
    ).toMatchObject({ action: 'probe', reason: `${what} may have ended the published access token` })
  })

  test.each(['publishedAt', 'provenAt'] as const)(
    'a record whose %s is further ahead than clocks differ has its token asked for, and no other one has',
    (field) => {
      const decided = (seconds: number): Decision => {
        const account = state()
        const accessToken = { ...account.accessToken, [field]: NOW.add({ seconds }) } as never
        return decide({
          broker: LADDER,
          state: { ...account, accessToken },
          stored: stored(...ALL),
          now: NOW,
        })
      }
      expect(decided(120)).toMatchObject({ action: 'fresh' })
      expect(decided(121)).toMatchObject({ action: 'probe' })
    },
  )

  test('a malformed credential is named without its value', () => {
    const secrets = stored(...ALL)
    secrets.set('client_id', { value: new Secret('bad'), version: 1, modifiedAt: NOW })
    const decision = decide({ broker: LADDER, state: state({}, DEAD), stored: secrets, now: NOW })
    expect(decision).toMatchObject({ action: 'stop', reason: 'the stored client_id is malformed: it is bad' })
  })

  describe('after a grant whose fate is unknown', () => {
    const stamps = block('ambiguous').stamps
    const ambiguous = { grant: 'refresh_token', at: NOW, repeats: 0, stamps, probed: false } as const

    test('the stored token is probed first', () => {
      expect(
        decide({ broker: LADDER, state: state({ ambiguous }, DUE), stored: stored(...ALL), now: NOW }),
      ).toMatchObject({
        action: 'probe',
      })
    })

    test('the next grant of the ladder is used, never the same one again', () => {
      const probed = { ...ambiguous, probed: true }
      expect(
        decide({
          broker: LADDER,
          state: state({ ambiguous: probed }, DUE),
          stored: stored(...ALL),
          now: NOW,
        }),
      ).toMatchObject({ action: 'refresh', grant: LOGIN })
    })

    test('a grant that may be repeated once is repeated once', () => {
      const repeatable = { ...LADDER, grants: [{ ...REFRESH, repeatsAfterAmbiguity: 1 as const }] }
      const once = (repeats: number): Decision =>
        decide({
          broker: repeatable,
          state: state({ ambiguous: { ...ambiguous, probed: true, repeats } }, DEAD),
          stored: stored(...ALL),
          now: NOW,
        })
      expect(once(0)).toMatchObject({ action: 'refresh' })
      expect(once(1)).toMatchObject({ action: 'ask' })
    })
  })

  test.each([
    ['2026-11-23T03:00:00+05:30', 'fresh'],
    ['2026-11-23T06:15:00+05:30', 'ask'],
    ['2026-11-22T10:00:00+05:30', 'fresh'],
  ])('nobody is asked at night or on a Sunday for a token that still lives (%s: %s)', (at, action) => {
    const now = Temporal.Instant.from(at)
    const account = state({}, DUE)
    const token = account.accessToken as NonNullable<AccountState['accessToken']>
    const decision = decide({
      broker: { ...LADDER, tradingSession: { timeZone: 'Asia/Kolkata', opens: '09:15', closes: '15:30' } },
      state: { ...account, accessToken: { ...token, provenAt: now, expiresAt: now.add({ minutes: DUE }) } },
      stored: stored('client_id', 'access_token'),
      now,
    })
    expect(decision).toMatchObject({ action })
  })

  describe('where only a person can help on a market', () => {
    const market: Broker = {
      ...LADDER,
      tradingSession: { timeZone: 'Asia/Kolkata', opens: '09:15', closes: '15:30' },
      session: {
        timeZone: 'Asia/Kolkata',
        accessToken: {
          earliestOf: [{ kind: 'jwt' }],
          otherwise: { kind: 'clock', at: '06:00', timeZone: 'Asia/Kolkata', day: 'first' },
        },
      },
    }
    const at = (time: string): Temporal.Instant => Temporal.Instant.from(`2026-11-${time}:00+05:30`)
    const decided = (
      time: string,
      names: readonly SecretName[],
      more: Partial<AccountState> = {},
    ): Decision =>
      decide({ broker: market, state: { ...state(more), ...more }, stored: stored(...names), now: at(time) })

    test.each([
      ['27T20:00', 'ask_later'],
      ['30T05:59', 'ask_later'],
      ['30T06:00', 'ask'],
      ['30T12:00', 'ask'],
      ['30T16:00', 'ask_later'],
    ])('on %s: %s', (time, action) => {
      const from = time < '30T12:00' ? at('30T06:00') : Temporal.Instant.from('2026-12-01T06:00:00+05:30')
      const decision = decided(time, ['client_id'])
      expect(decision).toMatchObject(action === 'ask' ? { action } : { action, from })
    })

    test('an unattended grant is used all the same', () => {
      expect(decided('27T20:00', ALL, { refusedVersion: 3 })).toMatchObject({ action: 'refresh' })
    })

    test('a grant that is held back till later is waited for until a login helps', () => {
      const attempts = [4, 3, 2, 1].map((hours) => at('27T20:00').subtract({ hours }))
      const spent = { attempts, refusedVersion: 3 }
      expect(decided('27T20:00', ['client_id', 'password'], spent)).toMatchObject({ action: 'wait' })
      const monday = {
        attempts: [4, 3, 2, 1].map((hours) => at('30T07:00').subtract({ hours })),
        refusedVersion: 3,
      }
      expect(decided('30T07:00', ['client_id', 'password'], monday)).toMatchObject({ action: 'ask' })
    })

    test('a live token stays what it is where the owner’s ceiling lets no login help yet', () => {
      const now = at('30T06:30')
      const accessToken = {
        issuedAt: now.subtract({ minutes: 40 }),
        expiresAt: now.add({ minutes: 20 }),
        expiryDecidedBy: 'a test',
        provenAt: now,
        publishedAt: now.subtract({ minutes: 40 }),
        version: 3,
      }
      const more = { accessToken, settings: { maxLifetimeHours: 1 } }
      expect(decided('30T06:30', ['client_id', 'access_token'], more)).toMatchObject({
        action: 'fresh',
        reason: expect.stringMatching(/; a login helps from Mon 30 Nov 08:16 IST$/),
      })
    })
  })

  test('never spends an attempt beyond the budget, whatever the history', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 90_000 }), { maxLength: 12 }),
        fc.boolean(),
        (ages, force) => {
          const attempts = ages.toSorted((a, b) => b - a).map((seconds) => NOW.subtract({ seconds }))
          const decision = decide({
            broker: LADDER,
            state: state({ attempts }, DEAD),
            stored: stored(...ALL),
            now: NOW,
            forcedAt: force ? NOW : undefined,
          })
          if (decision.action !== 'refresh') return true
          const midnight = Temporal.Instant.from('2026-11-23T00:00:00+05:30')
          const today = attempts.filter((at) => Temporal.Instant.compare(at, midnight) >= 0).length
          const hour = ages.filter((seconds) => seconds < 3600).length
          return today < 4 && hour < 2 && ages.every((seconds) => seconds >= 60)
        },
      ),
    )
  })
})
