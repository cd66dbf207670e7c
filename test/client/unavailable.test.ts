import { expect, test } from 'vitest'
import { objectionIn } from '../../lib/client/unavailable.ts'
import { parseAccountId } from '../../lib/model/account-id.ts'
import type { AccountResult } from '../../lib/model/outcome.ts'

const SKIPPED: AccountResult = {
  success: true,
  account: parseAccountId('fyers'),
  userID: null,
  clientName: null,
  outcome: 'skipped',
  reason: 'no access token is stored; a login helps from Mon 30 Nov 06:00 IST',
  live: false,
  tokenValidity: null,
  nextAction: 'log in at FYERS from Mon 30 Nov 06:00 IST on: tokenkeeper login fyers',
}

test('a program is told of a login that is too early as of one that is missing: asking again in a moment is no use', () => {
  const early = objectionIn({ ...SKIPPED, loginHelpsFrom: '2026-11-30T06:00:00+05:30' })
  expect(early).toMatchObject({ code: 'awaiting_login', actor: 'person', fix: SKIPPED.nextAction })
  expect(early?.retryAfterSeconds).toBeUndefined()
  expect(objectionIn(SKIPPED)).toMatchObject({ code: 'busy', retryAfterSeconds: 2 })
})
