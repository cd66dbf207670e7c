import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { refreshHandler } from '../../functions/runtime/refresh/refresh-handler.ts'
import { fyers } from '../../lib/brokers/fyers/fyers.ts'
import { parseAccountId } from '../../lib/model/account-id.ts'
import { FollowUpError } from '../../lib/model/errors.ts'
import { maskSecrets } from '../../lib/model/secrets/secret.ts'
import { APP, fyersFunction } from './fyers-function.ts'
import { lambdaContext } from './lambda.ts'

/** One account may take 45 s, and the next starts a second later: time for exactly one. */
const TIME_FOR_ONE_ACCOUNT_S = 46

let fixture: Awaited<ReturnType<typeof fyersFunction>>

beforeEach(async () => {
  fixture = await fyersFunction()
})

afterEach(async () => {
  vi.restoreAllMocks()
  await fixture.world.close()
})

describe('an invocation', () => {
  test('R3.2 replies with the report of the run', async () => {
    await fixture.accounts('fyers')
    expect(await refreshHandler(fyers, fixture.compose)({}, lambdaContext())).toEqual({
      success: true,
      message: '1 refreshed, 0 skipped, 0 failed of 1',
      refreshed: 1,
      failed: 0,
      skipped: 0,
      total: 1,
      handedOver: 0,
      results: [
        {
          success: true,
          account: 'fyers',
          userID: 'XX00001',
          clientName: 'SIM USER ONE',
          outcome: 'refreshed',
          reason: 'no access token is stored',
          live: true,
          tokenValidity: '2026-11-24T06:00:00+05:30',
          nextAction: expect.stringContaining('renewal due'),
        },
      ],
    })
  })

  test('does only the accounts it names, and forces them', async () => {
    await fixture.accounts('fyers', 'fyers/second')
    const handler = refreshHandler(fyers, fixture.compose)
    await handler({}, lambdaContext())
    fixture.world.clock.advance({ minutes: 5 })
    const report = await handler({ accounts: ['fyers/second'], force: true }, lambdaContext())
    expect(report.results).toMatchObject([{ account: 'fyers/second', outcome: 'refreshed' }])
  })

  test('does not throw for accounts that failed: the report and the metrics say so', async () => {
    await fixture.accounts('fyers')
    await fixture.world.store(parseAccountId('fyers'), { client_secret: 'CANARY-OF-ANOTHER-APP' })
    const report = await refreshHandler(fyers, fixture.compose)({}, lambdaContext())
    expect(report).toMatchObject({ success: false, failed: 1, results: [{ code: 'client_rejected' }] })
    expect(fixture.metric('Failed')).toContain(1)
  })

  test('builds its adapters at the first invocation and keeps them', async () => {
    let composed = 0
    const handler = refreshHandler(fyers, (...given) => {
      composed += 1
      return fixture.compose(...given)
    })
    expect(composed).toBe(0)
    await handler({}, lambdaContext())
    await handler({}, lambdaContext())
    expect(composed).toBe(1)
  })

  test('forgets the secrets it loaded, so that a container does not collect them', async () => {
    await fixture.accounts('fyers')
    await refreshHandler(fyers, fixture.compose)({}, lambdaContext())
    expect(maskSecrets(APP.secret)).toBe(APP.secret)
  })

  test('with an event nobody can understand throws before anything is touched, and says what to send', async () => {
    await fixture.accounts('fyers')
    const run = refreshHandler(fyers, fixture.compose)({ acounts: ['fyers'] }, lambdaContext())
    await expect(run).rejects.toThrow(/acounts.*To mend it: send \{\}/)
    expect(fixture.server.seen).toEqual([])
  })

  test('in a wrong environment throws what is missing', async () => {
    const run = refreshHandler(fyers)({}, lambdaContext())
    await expect(run).rejects.toThrow(/TOKENKEEPER_TABLE is not set.*To mend it: deploy the stack again/)
  })
})

describe('a run somebody waits for', () => {
  const account = parseAccountId('fyers')

  beforeEach(async () => {
    await fixture.accounts('fyers')
    await refreshHandler(fyers, fixture.compose)({}, lambdaContext())
    const { world } = fixture
    world.clock.advance({ hours: 24 })
    await world.change(account, { notBefore: world.clock.now().add({ seconds: 540 }) })
  })

  test.each([
    ['a report about a refused token', { accounts: ['fyers'], refused: { generation: 1 } }],
    ['a wish of a program', { accounts: ['fyers'], force: true, awaited: true }],
  ])('%s does not sleep through a pause of minutes', async (_, event) => {
    const { clock } = fixture.world
    const from = clock.now()
    const report = await refreshHandler(fyers, fixture.compose)(event, lambdaContext())
    expect(from.until(clock.now()).total('seconds')).toBeLessThan(75)
    expect(report.results).toMatchObject([{ account: 'fyers', code: 'rate_limited' }])
    expect(fixture.handedOver).toEqual([])
  })

  test('has no more time than Lambda gives', async () => {
    const event = { accounts: ['fyers'], refused: { generation: 1 } }
    await refreshHandler(fyers, fixture.compose)(event, lambdaContext(44))
    expect(fixture.handedOver).toMatchObject([{ accounts: ['fyers'] }])
  })
})

describe('a run that does not fit into one invocation', () => {
  beforeEach(() => fixture.accounts('fyers', 'fyers/second', 'fyers/third'))

  test('hands the rest to a follow-up', async () => {
    const report = await refreshHandler(fyers, fixture.compose)({}, lambdaContext(TIME_FOR_ONE_ACCOUNT_S))
    expect(report).toMatchObject({ refreshed: 1, handedOver: 2, total: 3 })
    expect(fixture.handedOver).toEqual([
      {
        accounts: ['fyers/second', 'fyers/third'],
        forcedAt: undefined,
        continuation: 1,
        unsuccessful: 0,
      },
    ])
  })

  test('does each account exactly once, however many invocations that takes', async () => {
    const handler = refreshHandler(fyers, fixture.compose)
    const reports = [await handler({ force: true }, lambdaContext(TIME_FOR_ONE_ACCOUNT_S))]
    for (let next = fixture.handedOver.shift(); next !== undefined; next = fixture.handedOver.shift()) {
      const event = JSON.parse(JSON.stringify({ ...next, reason: 'continued' }))
      reports.push(await handler(event, lambdaContext(TIME_FOR_ONE_ACCOUNT_S)))
    }
    expect(reports.flatMap(({ results }) => results.map(({ account }) => account))).toEqual([
      'fyers',
      'fyers/second',
      'fyers/third',
    ])
    expect(fixture.simulator.refreshes).toBe(3)
  })

  test('keeps the date it was forced at', async () => {
    const forcedAt = '2026-11-23T01:29:00Z'
    const event = { accounts: ['fyers', 'fyers/second'], forcedAt, continuation: 7 }
    await refreshHandler(fyers, fixture.compose)(event, lambdaContext(TIME_FOR_ONE_ACCOUNT_S))
    expect(fixture.handedOver).toMatchObject([{ accounts: ['fyers/second'], continuation: 8 }])
    expect(fixture.handedOver[0]?.forcedAt?.toString()).toBe(forcedAt)
  })

  test('throws when nobody takes the rest, says what was done, and still reports its metrics', async () => {
    fixture.followUp.handOver = async () => {
      throw new FollowUpError('Lambda refused Invoke', { fix: 'allow lambda:InvokeFunction' })
    }
    const run = refreshHandler(fyers, fixture.compose)({}, lambdaContext(TIME_FOR_ONE_ACCOUNT_S))
    await expect(run).rejects.toThrow(
      /^2 accounts were not reached \(1 refreshed.* could not be handed over: Lambda refused Invoke\. To mend it: allow lambda:InvokeFunction$/,
    )
    expect(fixture.metric('Refreshed')).toEqual([1])
    expect(fixture.metric('RunCompleted')).toEqual([1])
  })

  test('ends after a hundred follow-ups', async () => {
    const event = { accounts: ['fyers', 'fyers/second'], continuation: 100 }
    const run = refreshHandler(fyers, fixture.compose)(event, lambdaContext(TIME_FOR_ONE_ACCOUNT_S))
    await expect(run).rejects.toThrow(/follow-up number 100: the chain ends here/)
    expect(fixture.handedOver).toEqual([])
  })
})
