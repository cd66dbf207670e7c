import { describe, expect, test } from 'vitest'
import { noticeOfAlarm } from '../../functions/runtime/alarms/alarm-event.ts'
import { ConfigurationError } from '../../lib/model/errors.ts'
import { alarmEvent } from '../support/alarm-event.ts'

const CALL = 'npx tokenkeeper --backend aws'
const DESCRIPTION = `FYERS: accounts could not be refreshed; run ${CALL} status`

describe('an alarm that goes off', () => {
  test('is told under its name, with what happened and what to do, and the broker it is about', () => {
    expect(noticeOfAlarm(alarmEvent({ description: DESCRIPTION }), { call: CALL })).toEqual({
      kind: 'operator_action',
      severity: 'page',
      broker: 'fyers',
      title: 'Alarm: Tokenkeeper cannot renew accounts of FYERS',
      reason: 'FYERS: accounts could not be refreshed',
      action: 'run tokenkeeper status',
    })
  })

  test('is about no broker where its metric has none', () => {
    const notice = noticeOfAlarm(alarmEvent({ metric: 'TokenLost', dimensions: { stack: 'Tokenkeeper' } }))
    expect(notice).toMatchObject({ severity: 'page' })
    expect(notice).not.toHaveProperty('broker')
  })

  test.each(['AlertSubscriptionProblems', 'ClockDriftSeconds'])('is no page for %s', (metric) => {
    expect(noticeOfAlarm(alarmEvent({ metric, dimensions: {} }))).toMatchObject({ severity: 'action' })
  })

  test('says what CloudWatch says where nobody has described it', () => {
    expect(noticeOfAlarm(alarmEvent())).toMatchObject({
      reason: expect.stringContaining('Threshold Crossed'),
      action: 'look at the alarm "Tokenkeeper cannot renew accounts of FYERS" in CloudWatch',
    })
  })
})

test('an alarm that is over is solved, for information', () => {
  expect(noticeOfAlarm(alarmEvent({ from: 'ALARM', to: 'OK', description: DESCRIPTION }))).toEqual({
    kind: 'solved',
    severity: 'info',
    broker: 'fyers',
    title: 'Solved: Tokenkeeper cannot renew accounts of FYERS',
    reason: 'this is over: FYERS: accounts could not be refreshed',
    action: 'nothing to do',
  })
})

test.each([
  ['INSUFFICIENT_DATA', 'OK'],
  ['OK', 'INSUFFICIENT_DATA'],
] as const)('nobody hears of a change from %s to %s: a new stack is no incident', (from, to) => {
  expect(noticeOfAlarm(alarmEvent({ from, to }))).toBeUndefined()
})

test.each([undefined, {}, { alarmData: {} }])('what no alarm sends is refused: %j', (event) => {
  expect(() => noticeOfAlarm(event)).toThrow(ConfigurationError)
})
