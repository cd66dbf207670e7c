import { Temporal } from 'temporal-polyfill'
import { beforeEach, describe, expect, test } from 'vitest'
import { missedRuns, noticeOfMissed } from '../../functions/runtime/missed-runs.ts'
import type { ScheduledRuns, WatchedSchedules } from '../../lib/aws/dynamo/dynamo-scheduled-runs.ts'
import { configured } from '../../lib/brokers/configured.ts'
import { fyers } from '../../lib/brokers/fyers/fyers.ts'
import { iifl } from '../../lib/brokers/iifl/iifl.ts'
import { posConnector } from '../../lib/brokers/pos-connector/pos-connector.ts'
import { upstox } from '../../lib/brokers/upstox/upstox.ts'
import type { Broker } from '../../lib/ports/broker/broker.ts'

let runs: ScheduledRuns
let watchedNow: Readonly<Record<string, WatchedSchedules>>

beforeEach(() => {
  const started = new Map<string, Temporal.Instant>()
  watchedNow = {}
  runs = {
    started: async (broker, at) => void started.set(broker, at),
    lastStart: async (broker) => started.get(broker),
    watched: async () => watchedNow,
    watch: async (schedules) => {
      watchedNow = schedules
    },
  }
})

function at(local: string): Temporal.Instant {
  return Temporal.Instant.from(`${local}+05:30`)
}

/** The brokers a check at this time of India finds without runs. */
async function check(local: string, ...brokers: readonly Broker[]): Promise<readonly string[]> {
  const watched = brokers.map((broker) => ({ broker, settings: { timeoutMinutes: 10 } }))
  return (await missedRuns(watched, runs, at(local))).map(({ broker }) => broker)
}

const ran = (broker: Broker, local: string) => runs.started(broker.id, at(local))

describe('R3.9 on silence', () => {
  test('a new stack has missed nothing, whatever its schedules say', async () => {
    expect(await check('2026-11-23T08:45:00', fyers, upstox, iifl, posConnector)).toEqual([])
  })

  test('a schedule that never starts anything is found before the next open', async () => {
    await check('2026-11-23T12:00:00', fyers, upstox)
    expect(await check('2026-11-24T08:45:00', fyers, upstox)).toEqual(['fyers', 'upstox'])
  })

  test('one that died after the open is found before the next, and at seven where it was to run by then', async () => {
    await check('2026-11-23T07:00:00', fyers, upstox)
    await ran(fyers, '2026-11-23T08:45:02')
    await ran(upstox, '2026-11-23T08:45:02')
    expect(await check('2026-11-24T07:00:00', fyers, upstox)).toEqual(['fyers'])
    expect(await check('2026-11-24T08:45:00', fyers, upstox)).toEqual(['fyers', 'upstox'])
  })

  test('a weekend is none, and its Monday is', async () => {
    await check('2026-11-27T07:00:00', fyers)
    await ran(fyers, '2026-11-27T08:45:02')
    expect(await check('2026-11-28T07:00:00', fyers)).toEqual([])
    expect(await check('2026-11-29T07:00:00', fyers)).toEqual([])
    expect(await check('2026-11-30T07:00:00', fyers)).toEqual(['fyers'])
  })

  test('a run on Saturday is missed on Saturday', async () => {
    await check('2026-11-27T07:00:00', iifl)
    await ran(iifl, '2026-11-27T08:45:02')
    expect(await check('2026-11-28T07:00:00', iifl)).toEqual(['iifl'])
  })

  test('of two schedules the one that is left does not speak for the other', async () => {
    await check('2026-11-23T07:00:00', iifl)
    await ran(iifl, '2026-11-24T03:00:02')
    expect(await check('2026-11-24T08:45:00', iifl)).toEqual(['iifl'])
  })

  test('a run that is late, or still at work, is not missed yet', async () => {
    await check('2026-11-23T07:00:00', upstox)
    expect(await check('2026-11-23T08:14:00', upstox)).toEqual([])
    expect(await check('2026-11-23T08:15:00', upstox)).toEqual(['upstox'])
    await ran(upstox, '2026-11-23T08:00:40')
    expect(await check('2026-11-23T08:29:00', upstox)).toEqual([])
  })

  test('a rate is counted from the run before', async () => {
    await check('2026-11-23T07:00:00', posConnector)
    await ran(posConnector, '2026-11-23T08:20:00')
    expect(await check('2026-11-23T08:45:00', posConnector)).toEqual([])
    expect(await check('2026-11-23T08:50:00', posConnector)).toEqual(['pos-connector'])
  })

  test('new times, and a broker that was away, are watched from then on', async () => {
    await check('2026-11-23T07:00:00', fyers)
    await ran(fyers, '2026-11-23T08:45:02')
    const earlier = configured(fyers, { schedules: ['cron(0 5 ? * MON-FRI *)'] })
    expect(await check('2026-11-24T07:00:00', earlier)).toEqual([])
    expect(await check('2026-11-25T07:00:00', earlier)).toEqual(['fyers'])
    expect(await check('2026-11-26T07:00:00', upstox)).toEqual([])
    expect(await check('2026-11-27T07:00:00', fyers, upstox)).toEqual(['upstox'])
  })
})

test('people are told which runs did not come, of which broker, and where to look', async () => {
  await check('2026-11-23T07:00:00', fyers, upstox)
  await ran(fyers, '2026-11-23T08:45:02')
  const watched = [{ broker: fyers, settings: { timeoutMinutes: 10 } }]
  const missed = await missedRuns(watched, runs, at('2026-11-24T07:00:00'))
  expect(noticeOfMissed(missed, 'Tokenkeeper')).toEqual({
    kind: 'operator_action',
    severity: 'page',
    broker: 'fyers',
    title: 'Scheduled runs do not come: fyers',
    reason: 'FYERS: no scheduled run since Tue 24 Nov 06:00 IST (the last one began Mon 23 Nov 08:45 IST)',
    action:
      'run tokenkeeper refresh, and look at the schedules of the group Tokenkeeper in EventBridge Scheduler',
  })
  const two = [...missed, { broker: 'upstox', says: 'Upstox: no scheduled run' }]
  expect(noticeOfMissed(two, 'Tokenkeeper')).not.toHaveProperty('broker')
})
