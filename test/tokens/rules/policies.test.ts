import { Temporal } from 'temporal-polyfill'
import { describe, expect, test } from 'vitest'
import type { AccountState } from '../../../lib/model/account-state.ts'
import { Secret } from '../../../lib/model/secrets/secret.ts'
import type { Broker } from '../../../lib/ports/broker/broker.ts'
import { PERSON_POLICIES } from '../../../lib/tokens/rules/decide/ask-person.ts'
import { chooseGrant, GRANT_POLICIES } from '../../../lib/tokens/rules/decide/choose-grant.ts'
import { decide, LEFT_ALONE, POLICIES } from '../../../lib/tokens/rules/decide/decide.ts'
import type { Situation } from '../../../lib/tokens/rules/decide/decision.ts'
import { TOKEN_POLICIES, whatIsNeeded } from '../../../lib/tokens/rules/decide/what-is-needed.ts'
import { weekdaySession } from '../../support/weekday-session.ts'
import { ALL, block, LADDER, LOGIN, NOW, REFRESH, state, stored } from './support/ladder.ts'

// A table per chain of policies. Each row names the policy that is the only reason for what is decided there, and how.
const DUE = 30
const DEAD = -1
const MINUTES_AGO = NOW.subtract({ minutes: 3 })

type Row = readonly [policy: string, Partial<Situation>, expected: object]

function situation(more: Partial<Situation>): Situation {
  return { broker: LADDER, state: state(), stored: stored(...ALL), now: NOW, ...more }
}

function provenEarlier(): Pick<ReturnType<typeof state>, 'accessToken'> {
  const { accessToken } = state()
  return { accessToken: { ...accessToken, provenAt: MINUTES_AGO } as NonNullable<typeof accessToken> }
}

const ambiguous = {
  grant: 'refresh_token',
  at: NOW,
  repeats: 0,
  stamps: block('ambiguous').stamps,
  probed: false,
} as const

const kept = new Map(stored(...ALL)).set('pending', {
  value: new Secret(JSON.stringify({ accessToken: 'sim-minted', sentAt: MINUTES_AGO, source: 'login' })),
  version: 1,
  modifiedAt: NOW,
})

const INDIA = weekdaySession({ timeZone: 'Asia/Kolkata', opens: '09:15', closes: '15:30' })
const MARKET: Broker = { ...LADDER, tradingSession: INDIA }
/** Four in the morning of a Monday: a person sleeps, and a token of now dies at six. */
const NIGHT = Temporal.Instant.from('2026-11-23T04:00:00+05:30')
const SIX = { kind: 'clock', at: '06:00', timeZone: 'Asia/Kolkata', day: 'first' } as const
const DIES_AT_SIX: Broker = {
  ...MARKET,
  session: {
    timeZone: 'Asia/Kolkata',
    accessToken: { earliestOf: [SIX], otherwise: SIX },
  },
}

const lastsAllDay = {
  ...(state().accessToken as NonNullable<AccountState['accessToken']>),
  issuedAt: NIGHT,
  provenAt: NIGHT.subtract({ hours: 1 }),
  expiresAt: NIGHT.add({ hours: 23 }),
}

const TOKEN_ROWS: readonly Row[] = [
  ['keptTokenWaits', { stored: kept }, { kind: 'publish_pending' }],
  ['noneStored', { stored: stored('client_id') }, { kind: 'renew', reason: 'no access token is stored' }],
  ['refusedByBroker', { state: state({ refusedVersion: 3 }) }, { kind: 'renew', live: false }],
  ['notOurs', { state: state({ accessToken: undefined as never }) }, { kind: 'probe', live: false }],
  [
    'doubted',
    { state: state({ doubt: { since: MINUTES_AGO, by: 'login' }, ...provenEarlier() }) },
    { kind: 'probe', reason: 'a login may have ended the published access token' },
  ],
  ['fateUnknown', { state: state({ ambiguous }, DUE) }, { kind: 'probe', live: true }],
  ['forced', { forcedAt: NOW }, { kind: 'renew', reason: 'forced' }],
  ['due', { state: state({}, DUE) }, { kind: 'renew', live: true }],
  [
    'reported',
    { state: state(provenEarlier()), reported: { version: 3 } },
    { kind: 'probe', reason: 'a consumer was refused with the access token' },
  ],
  [
    'morningProof',
    { broker: MARKET, state: state({ accessToken: lastsAllDay }) },
    { kind: 'probe', live: true },
  ],
]

const RUN_ROWS: readonly Row[] = [
  ['nothingNeeded', {}, { action: 'fresh' }],
  [
    'otherRunAtWork',
    { state: state({ lease: { owner: 'x', until: NOW.add({ seconds: 9 }) } }, DEAD) },
    { action: 'skip' },
  ],
  ['probe', { state: state({ accessToken: undefined as never }) }, { action: 'probe' }],
  ['credentialBroken', { state: state({}, DEAD), stored: stored('password') }, { action: 'stop' }],
]

const LEFT_ALONE_ROWS: readonly Row[] = [
  ['managedElsewhere', { state: state({ settings: { managedBy: 'external' } }, DEAD) }, { action: 'skip' }],
  ['paused', { state: state({ paused: { since: NOW } }, DEAD) }, { action: 'paused' }],
]

const GRANT_ROWS: readonly Row[] = [
  [
    'switchedOff',
    { broker: { ...LADDER, grants: [{ ...REFRESH, enabled: () => false }, LOGIN] } },
    { grant: LOGIN },
  ],
  ['secretsMissing', { stored: stored('client_id', 'password') }, { grant: LOGIN }],
  [
    'refreshTokenDead',
    { state: state({ refreshToken: { expiresAt: NOW, savedAt: NOW, version: 3 } }) },
    { grant: LOGIN },
  ],
  ['blocked', { state: state({ blocks: { refresh_token: block('client_rejected') } }) }, { action: 'stop' }],
  ['fateUnknown', { state: state({ ambiguous: { ...ambiguous, probed: true } }) }, { grant: LOGIN }],
  [
    'lockoutNear',
    {
      broker: { ...LADDER, grants: [LOGIN], login: undefined as never },
      state: state({
        unconfirmed: {
          password: { stamp: block('human_action', {}, ['password']).stamps['password'] as string, count: 1 },
        },
      }),
    },
    { action: 'stop', code: 'human_action' },
  ],
  ['heldBack', { state: state({ notBefore: NOW.add({ minutes: 5 }) }) }, { action: 'wait', live: false }],
]

const PERSON_ROWS: readonly (readonly [...Row, live: boolean])[] = [
  ['nobodyCanLogIn', { broker: { ...LADDER, login: undefined as never } }, { action: 'stop' }, false],
  ['liveFarFromOpen', { broker: MARKET, now: NIGHT }, { action: 'fresh' }, true],
  [
    'liveAndTooEarly',
    {
      broker: {
        ...DIES_AT_SIX,
        tradingSession: weekdaySession({ timeZone: 'Asia/Kolkata', opens: '06:45', closes: '15:30' }),
      },
      now: NIGHT,
    },
    { action: 'fresh' },
    true,
  ],
  ['tooEarly', { broker: DIES_AT_SIX, now: NIGHT }, { action: 'ask_later' }, false],
]

/** The tables of policies, with one taken out: what it decides must be decided otherwise then. */
describe.each<
  [string, Readonly<Record<string, unknown>>, readonly Row[], (situation: Situation, row: Row) => object]
>([
  ['left alone', LEFT_ALONE, LEFT_ALONE_ROWS, decide],
  ['a run', POLICIES, RUN_ROWS, decide],
  ['a token', TOKEN_POLICIES, TOKEN_ROWS, whatIsNeeded],
  ['a grant', GRANT_POLICIES, GRANT_ROWS, (given) => chooseGrant(given, { reason: 'due', live: false })],
  [
    'a person',
    PERSON_POLICIES,
    PERSON_ROWS as readonly unknown[] as readonly Row[],
    (given, row) =>
      chooseGrant(
        { ...given, stored: stored() },
        { reason: 'due', live: (row as readonly unknown[])[3] === true },
      ),
  ],
])('the policies of %s', (_, policies, rows, decided) => {
  test('each has a row, in their order', () => {
    expect(rows.map(([policy]) => policy)).toEqual(Object.keys(policies))
  })

  test.each(rows)('%s', (...row) => {
    const [policy, more, expected] = row
    const given = situation(more)
    expect(decided(given, row)).toMatchObject(expected)
    expect(without(policies, policy, () => decided(given, row))).not.toMatchObject(expected)
  })
})

function without(policies: Readonly<Record<string, unknown>>, name: string, work: () => object): object {
  const table = policies as Record<string, unknown>
  const policy = table[name]
  table[name] = () => undefined
  try {
    return work()
  } finally {
    table[name] = policy
  }
}
