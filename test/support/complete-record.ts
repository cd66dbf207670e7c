import { Temporal } from 'temporal-polyfill'
import { parseAccountId } from '../../lib/model/account-id.ts'
import type { AccountState } from '../../lib/model/account-state.ts'

const NOON = Temporal.Instant.from('2026-11-23T12:00:00.123Z')

/**
 * A record with every field there is, invented. A field added to the record does not compile until it is here; one
 * added to a part of it fails in test/model/state/every-field.test.ts.
 */
export const COMPLETE: Required<AccountState> = {
  account: parseAccountId('fyers'),
  revision: 1,
  settings: {
    nickname: 'Pâpa’s “main” account',
    managedBy: 'external',
    leewayMinutes: 90,
    maxLifetimeHours: 11.5,
    markets: ['in-equity', 'in-fno'],
    options: { api: 'marketdata', until: 'not an instant', empty: '' },
  },
  paused: { since: NOON, by: 'cli' },
  generation: 41,
  accessToken: {
    issuedAt: NOON,
    expiresAt: NOON.add({ hours: 18 }),
    expiryDecidedBy: "the token's own exp",
    provenAt: NOON.add({ seconds: 2 }),
    version: 12,
    publishedAt: NOON.add({ seconds: 3 }),
    source: 'refresh_token',
  },
  refreshToken: { expiresAt: NOON.add({ hours: 360 }), savedAt: NOON, version: 3 },
  authorizedAt: NOON.subtract({ hours: 48 }),
  userId: 'XX00001',
  clientName: 'SIM USER ONE',
  lease: { owner: 'run-1', takenAt: NOON, until: NOON.add({ minutes: 15 }) },
  attempts: [NOON.subtract({ hours: 2 }), NOON],
  exchanges: [NOON.subtract({ minutes: 3 })],
  logins: [
    {
      id: 'an-id',
      browser: 'cli',
      startedAt: NOON,
      openUntil: NOON.add({ minutes: 10 }),
      redirectUri: 'https://example.invalid/callback',
      usedAt: NOON.add({ minutes: 1 }),
      result: {
        success: false,
        at: NOON,
        code: 'wrong_account',
        reason: 'another user',
        fix: 'log in again',
        kept: true,
        unsent: true,
      },
    },
  ],
  approvalRequests: [NOON],
  approval: {
    requestedAt: NOON,
    openUntil: NOON.add({ hours: 3 }),
    earlier: [{ requestedAt: NOON.subtract({ hours: 1 }), openUntil: NOON.add({ hours: 2 }) }],
    tried: 1,
    approvedAt: NOON,
    driftSeconds: -7,
  },
  totpStep: 59_463_360,
  notBefore: NOON.add({ minutes: 1 }),
  notBeforeSetAt: NOON,
  loginNotBefore: NOON.add({ minutes: 1 }),
  loginNotBeforeSetAt: NOON,
  blocks: {
    refresh_token: { code: 'grant_rejected', reason: 'refused', fix: 'log in', stamps: {}, forcible: false },
    credentials: {
      code: 'client_rejected',
      reason: 'address not registered',
      stamps: { client_id: '3@2026-11-23T12:00:00Z' },
      at: NOON,
      until: NOON.add({ hours: 12 }),
      forcible: true,
    },
  },
  unconfirmed: { password: { stamp: '3@2026-11-23T06:30:00Z', count: 2 } },
  doubt: { since: NOON, by: 'login', openUntil: NOON },
  pending: { mintedAt: NOON, source: 'approval' },
  ambiguous: { grant: 'upstream', at: NOON, repeats: 0, stamps: { pin: '1' }, probed: false },
  refusedVersion: 11,
  incident: {
    id: 'fyers@2026-11-23T12:00:00Z',
    kind: 'login_needed',
    openedAt: NOON,
    toldAt: NOON,
    remindedAt: NOON.add({ minutes: 30 }),
    overAt: NOON.add({ hours: 1 }),
  },
  last: {
    at: NOON,
    outcome: 'failed',
    code: 'rate_limited',
    reason: 'throttled',
    fix: 'wait',
    loginHelpsFrom: NOON.add({ hours: 12 }),
  },
}
