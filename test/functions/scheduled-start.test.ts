import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { refreshHandler } from '../../functions/runtime/refresh/refresh-handler.ts'
import { fyers } from '../../lib/brokers/fyers/fyers.ts'
import { StateStoreError } from '../../lib/model/errors.ts'
import { fyersFunction } from './fyers-function.ts'
import { lambdaContext } from './lambda.ts'

let fixture: Awaited<ReturnType<typeof fyersFunction>>
let started: string[]
let refuses: boolean

beforeEach(async () => {
  fixture = await fyersFunction()
  started = []
  refuses = false
  await fixture.accounts('fyers', 'fyers/second')
})

afterEach(async () => {
  vi.restoreAllMocks()
  await fixture.world.close()
})

function run(event: object, seconds?: number) {
  const handler = refreshHandler(fyers, (broker, telemetry) => ({
    ...fixture.compose(broker, telemetry),
    scheduledRuns: {
      async started(id, at) {
        if (refuses) throw new StateStoreError('DynamoDB refused PutItem', { fix: 'allow it' })
        started.push(`${id} ${at}`)
      },
    },
  }))
  return handler(event, lambdaContext(seconds))
}

test('R3.9 a run over every account that the schedule started is written down with its beginning', async () => {
  await run({ reason: 'schedule' })
  expect(started).toEqual(['fyers 2026-11-23T01:30:00Z'])
})

test.each([
  {},
  { reason: 'manual' },
  { reason: 'schedule', force: true },
  { reason: 'schedule', accounts: ['fyers'] },
  { accounts: ['fyers'], refused: { generation: 1 } },
])('R3.9 a run by hand or over REST is no sign of life of the schedule: %j', async (event) => {
  await run(event)
  expect(started).toEqual([])
})

test('R3.9 its first invocation is enough: that the next one could not be started is told by another alarm', async () => {
  await run({ reason: 'schedule' }, 46)
  expect(started).toHaveLength(1)
  fixture.followUp.handOver = async () => {
    throw new Error('nobody takes it')
  }
  await expect(run({ reason: 'schedule', force: false }, 44)).rejects.toThrow()
  expect(started).toHaveLength(2)
})

test('a store that does not take it fails no run, and says so', async () => {
  refuses = true
  expect(await run({ reason: 'schedule' })).toMatchObject({ refreshed: 2 })
  expect(fixture.output.text()).toContain('the daily check will not know of this scheduled run')
})
