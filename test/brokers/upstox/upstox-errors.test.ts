import { Temporal } from 'temporal-polyfill'
import { describe, expect, test } from 'vitest'
import type { BrokerReply } from '../../../lib/brokers/shared/call.ts'
import { upstoxError } from '../../../lib/brokers/upstox/errors.ts'
import { HumanActionError, type RateLimitedError } from '../../../lib/model/errors.ts'

describe('an error reply', () => {
  const at = (instant: string) => Temporal.Instant.from(instant)

  function replyOf(status: number, code?: string, casing: 'snake' | 'camel' = 'snake'): BrokerReply {
    const error = casing === 'snake' ? { error_code: code } : { errorCode: code }
    const json = code === undefined ? undefined : { status: 'error', errors: [error] }
    return {
      status,
      headers: {},
      json,
      bodyKind: json ? 'json' : 'html',
      sentAt: at('2026-11-23T02:00:00+05:30'),
    }
  }

  // The second and third columns: on the profile call, and on the exchange of an authorization code.
  test.each([
    ['UDAPI100050', 'grant_rejected', 'grant_rejected'],
    ['UDAPI100016', 'client_rejected', 'client_rejected'],
    ['UDAPI100057', 'broker_unavailable', 'grant_rejected'],
    ['UDAPI100058', 'human_action', 'human_action'],
    ['UDAPI100068', 'client_rejected', 'client_rejected'],
    ['UDAPI100069', 'client_rejected', 'client_rejected'],
    ['UDAPI100070', 'client_rejected', 'client_rejected'],
    ['UDAPI100073', 'client_rejected', 'client_rejected'],
    ['UDAPI1017', 'client_rejected', 'client_rejected'],
    ['UDAPI1018', 'client_rejected', 'client_rejected'],
    ['UDAPI1022', 'client_rejected', 'client_rejected'],
    ['UDAPI1023', 'client_rejected', 'client_rejected'],
    ['UDAPI1024', 'client_rejected', 'client_rejected'],
    ['UDAPI100067', 'client_rejected', 'client_rejected'],
    ['UDAPI100015', 'client_rejected', 'client_rejected'],
    ['UDAPI100036', 'client_rejected', 'client_rejected'],
    ['UDAPI100038', 'client_rejected', 'client_rejected'],
    ['UDAPI100060', 'client_rejected', 'client_rejected'],
    ['UDAPI10005', 'rate_limited', 'rate_limited'],
    ['UDAPI100072', 'rate_limited', 'rate_limited'],
    ['UDAPI100074', 'rate_limited', 'rate_limited'],
    ['UDAPI1154', 'client_rejected', 'client_rejected'],
    ['UDAPI100500', 'broker_unavailable', 'grant_rejected'],
    ['UDAPI100099', 'client_rejected', 'client_rejected'],
    ['UDAPI999999', 'client_rejected', 'grant_rejected'],
  ])('%s is %s on a read and %s on an exchange, whatever its status and casing', (code, read, exchange) => {
    for (const status of [400, 401, 500]) {
      for (const casing of ['snake', 'camel'] as const) {
        const reply = replyOf(status, code, casing)
        expect(upstoxError(reply, 'read')).toMatchObject({ code: read, brokerCode: code })
        expect(upstoxError(reply, 'exchange')).toMatchObject({ code: exchange, brokerCode: code })
      }
    }
  })

  test('HTML with status 403 is a blocked client, which the operator must look at', () => {
    for (const during of ['read', 'exchange'] as const) {
      expect(upstoxError(replyOf(403), during)).toMatchObject({ code: 'client_rejected' })
    }
  })

  test('a gateway fault is passing on a read, and has spent the code of an exchange', () => {
    expect(upstoxError(replyOf(502), 'read')).toMatchObject({ code: 'broker_unavailable' })
    expect(upstoxError(replyOf(502), 'exchange')).toMatchObject({ code: 'grant_rejected' })
  })

  test('outside service hours nothing is tried before 05:30 IST', () => {
    const error = upstoxError(replyOf(423, 'UDAPI100072'), 'read') as RateLimitedError
    expect(error.retryAfterSeconds).toBe(3.5 * 3600)
  })

  test('an inactive account is its holder’s to reactivate, and may be tried again afterwards', () => {
    const error = upstoxError(replyOf(401, 'UDAPI100058'), 'read')
    expect(error).toBeInstanceOf(HumanActionError)
    expect(error).toMatchObject({ problem: 'account' })
  })

  test('says what to do about every problem of the operator’s', () => {
    expect(upstoxError(replyOf(401, 'UDAPI100069'), 'exchange').fix).toContain('API key and secret')
    expect(upstoxError(replyOf(401, 'UDAPI100070'), 'exchange').fix).toContain('redirect URI')
  })
})
