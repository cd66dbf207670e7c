import { describe, expect, test } from 'vitest'
import type { AccountState, ReportedToken } from '../../../lib/model/account-state.ts'
import { Secret } from '../../../lib/model/secrets/secret.ts'
import { decide } from '../../../lib/tokens/rules/decide/decide.ts'
import type { Decision, Situation } from '../../../lib/tokens/rules/decide/decision.ts'
import { ALL, block, DUE, LADDER, NOW, state, stored } from './support/ladder.ts'

describe('a wait that is on record', () => {
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
    ['reported by a consumer', true, { state: state(provenEarlier), reported: { version: 3 } }],
  ])('of an account whose token is %s says whether that token lives: %s', (_, live, situation) => {
    const common = { broker: LADDER, state: state(), stored: stored(...ALL), now: NOW, ...situation }
    const decision = decide({ ...common, state: { ...common.state, notBefore } })
    expect(decision).toMatchObject({ action: 'wait', live, until: notBefore })
  })
})

describe('a consumer’s report', () => {
  const reported = (refused: ReportedToken, secondsAgo: number): Decision => {
    const account = state({ generation: 4 })
    const provenAt = NOW.subtract({ seconds: secondsAgo })
    const accessToken = { ...account.accessToken, provenAt } as never
    return decide({
      broker: LADDER,
      state: { ...account, accessToken },
      stored: stored(...ALL),
      now: NOW,
      reported: refused,
    })
  }

  test.each<[ReportedToken, string]>([
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
