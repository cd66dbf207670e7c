import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { refreshHandler } from '../../functions/runtime/refresh/refresh-handler.ts'
import { fyers } from '../../lib/brokers/fyers/fyers.ts'
import { iifl } from '../../lib/brokers/iifl/iifl.ts'
import { isRunNear } from '../../lib/markets/near-run.ts'
import { parseAccountId } from '../../lib/model/account-id.ts'
import { APP, fyersFunction } from './fyers-function.ts'
import { lambdaContext } from './lambda.ts'

const TIME_FOR_ONE_ACCOUNT_S = 46
const SECOND = parseAccountId('fyers/second')

let fixture: Awaited<ReturnType<typeof fyersFunction>>
let run: (event: object, seconds?: number) => Promise<unknown>

beforeEach(async () => {
  // Monday, 07:00 in India: the next scheduled run of FYERS is 15 minutes away, until 08:45.
  fixture = await fyersFunction()
  const handler = refreshHandler(fyers, fixture.compose)
  run = (event, seconds) => handler(event, lambdaContext(seconds))
})

afterEach(async () => {
  vi.restoreAllMocks()
  await fixture.world.close()
})

/** What the broker's alarm saw, in order. */
function counted(): readonly unknown[] {
  return fixture.metric('Unsuccessful')
}

async function breakAccount(id = 'fyers'): Promise<void> {
  await fixture.world.store(parseAccountId(id), { client_secret: 'CANARY-OF-ANOTHER-APP' })
}

async function mendAccount(id = 'fyers'): Promise<void> {
  await fixture.world.store(parseAccountId(id), { client_secret: APP.secret })
}

/** Past the last run of the morning: the next one is tomorrow. */
function afterTheMorning(): void {
  fixture.world.clock.advance({ minutes: 110 })
}

describe('R3.9 what the alarm of a broker counts', () => {
  beforeEach(() => fixture.accounts('fyers', 'fyers/second'))

  test('is none after a run over every account that went well', async () => {
    await run({ reason: 'schedule' })
    expect(counted()).toEqual([0])
  })

  test('is an account that two runs in a row have failed for, while the next run is near', async () => {
    await breakAccount()
    await run({ reason: 'schedule' })
    fixture.world.clock.advance({ minutes: 15 })
    await run({ reason: 'schedule' })
    expect(counted()).toEqual([0, 1])
  })

  test('is each account at once where the next run is far', async () => {
    afterTheMorning()
    await breakAccount()
    await run({ reason: 'schedule' })
    expect(counted()).toEqual([1])
  })

  test('is not ended by a run that passes the account over, because another one holds it', async () => {
    await breakAccount()
    await run({ reason: 'schedule' })
    fixture.world.clock.advance({ minutes: 15 })
    await run({ reason: 'schedule' })
    const now = fixture.world.clock.now()
    const lease = { owner: 'another run', takenAt: now, until: now.add({ minutes: 5 }) }
    await fixture.world.change(parseAccountId('fyers'), { lease })
    await run({ reason: 'schedule' })
    expect(counted()).toEqual([0, 1, 1])
  })

  test('is not ended by another account’s good run', async () => {
    afterTheMorning()
    await breakAccount()
    await run({ reason: 'schedule' })
    await run({ accounts: [SECOND], force: true })
    expect(counted()).toEqual([1])
  })

  test('is ended by the account’s own', async () => {
    afterTheMorning()
    await breakAccount()
    await run({ reason: 'schedule' })
    await mendAccount()
    await run({ accounts: ['fyers'], force: true })
    expect(counted()).toEqual([1, 0])
  })

  test('is not ended by one of two that had failed', async () => {
    afterTheMorning()
    await breakAccount()
    await breakAccount('fyers/second')
    await run({ reason: 'schedule' })
    await mendAccount()
    await run({ accounts: ['fyers'], force: true })
    expect(counted()).toEqual([2])
  })

  test('has what a run over a named account fails for, where no run mends it soon', async () => {
    await breakAccount()
    await run({ accounts: ['fyers'] })
    expect(counted()).toEqual([])
    afterTheMorning()
    await breakAccount('fyers/second')
    await run({ accounts: [SECOND] })
    expect(counted()).toEqual([1])
  })

  test('takes all invocations of one run together', async () => {
    afterTheMorning()
    await breakAccount()
    await run({ reason: 'schedule' }, TIME_FOR_ONE_ACCOUNT_S)
    const [rest] = fixture.handedOver
    expect(rest).toMatchObject({ accounts: [SECOND], unsuccessful: 1 })
    await run(JSON.parse(JSON.stringify({ ...rest, reason: 'continued' })))
    expect(counted()).toEqual([1, 1])
  })

  test('says none only when the last invocation of a run is over', async () => {
    await run({ reason: 'schedule' }, TIME_FOR_ONE_ACCOUNT_S)
    expect(counted()).toEqual([])
    await run(JSON.parse(JSON.stringify({ ...fixture.handedOver[0], reason: 'continued' })))
    expect(counted()).toEqual([0])
  })

  test('is at once what no record could be read of', async () => {
    fixture.world.failNext('vault.read', { times: 100 })
    await run({ reason: 'schedule' })
    expect(counted()).toEqual([2])
  })
})

test.each([
  ['Saturday, when only 03:00 is scheduled', '2026-11-28T03:00:05+05:30', false],
  ['the last run of a morning', '2026-11-27T08:45:05+05:30', false],
  ['a run of the morning', '2026-11-27T08:30:05+05:30', true],
])('the next run of IIFL after %s is near: %s', (_, at, near) => {
  expect(isRunNear(iifl, Date.parse(at), 60)).toBe(near)
})
