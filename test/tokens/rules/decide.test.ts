import fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { describe, expect, test } from 'vitest'
import type { AccountState } from '../../../lib/model/account-state.ts'
import { Secret } from '../../../lib/model/secrets/secret.ts'
import type { SecretName } from '../../../lib/model/secrets/secret-name.ts'
import { decide } from '../../../lib/tokens/rules/decide/decide.ts'
import type { Decision } from '../../../lib/tokens/rules/decide/decision.ts'
import { ALL, block, DEAD, DUE, LADDER, LOGIN, NOW, REFRESH, state, stored } from './support/ladder.ts'

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
