import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { refreshHandler } from '../../functions/runtime/refresh/refresh-handler.ts'
import { lambdaTelemetry } from '../../functions/runtime/telemetry.ts'
import { fyers } from '../../lib/brokers/fyers/fyers.ts'
import { parseAccountId } from '../../lib/model/account-id.ts'
import { Secret } from '../../lib/model/secrets/secret.ts'
import { APP, fyersFunction } from './fyers-function.ts'
import { lambdaContext } from './lambda.ts'

const FYERS = parseAccountId('fyers')

let fixture: Awaited<ReturnType<typeof fyersFunction>>

beforeEach(async () => {
  fixture = await fyersFunction()
})

afterEach(async () => {
  vi.restoreAllMocks()
  await fixture.world.close()
})

describe('R3.9 metrics', () => {
  test('have the broker as their only dimension, and one namespace', async () => {
    await refreshHandler(fyers, fixture.compose)({}, lambdaContext())
    const [published] = fixture.output.lines().filter((line) => '_aws' in line)
    expect(published).toMatchObject({
      broker: 'fyers',
      _aws: { CloudWatchMetrics: [{ Namespace: 'Tokenkeeper', Dimensions: [['broker']] }] },
    })
  })

  test('that are alike for every broker are counted for the stack, with the broker beside them in the log', async () => {
    const telemetry = lambdaTelemetry('fyers')
    telemetry.count('Refreshed', 'fyers')
    for (const metric of ['TokenLost', 'NotifyFailed', 'SubscriberFailed'] as const)
      telemetry.count(metric, 'fyers')
    telemetry.count('ClockDriftSeconds', 'fyers', 3)
    telemetry.publish()
    const published = fixture.output.lines().filter((line) => '_aws' in line)
    expect(published).toMatchObject([
      { broker: 'fyers', Refreshed: 1, _aws: { CloudWatchMetrics: [{ Dimensions: [['broker']] }] } },
      {
        broker: 'fyers',
        stack: 'Tokenkeeper',
        TokenLost: 1,
        NotifyFailed: 1,
        SubscriberFailed: 1,
        ClockDriftSeconds: 3,
        _aws: { CloudWatchMetrics: [{ Namespace: 'Tokenkeeper', Dimensions: [['stack']] }] },
      },
    ])
    telemetry.publish()
    expect(fixture.output.lines().filter((line) => '_aws' in line)).toEqual(published)
  })
})

describe('the log', () => {
  test('R4.8 has a line per account with the outcome and what happens next', async () => {
    await fixture.accounts('fyers')
    await refreshHandler(fyers, fixture.compose)({ reason: 'manual' }, lambdaContext())
    expect(fixture.output.lines()).toContainEqual(
      expect.objectContaining({ message: 'run started', reason: 'manual' }),
    )
    expect(fixture.output.lines()).toContainEqual(
      expect.objectContaining({
        level: 'INFO',
        message: 'refreshed',
        account: 'fyers',
        service: 'tokenkeeper-fyers',
      }),
    )
  })

  test('R1.7 holds no secret of a good run, a refused one or a broken one, and no event', async () => {
    await fixture.accounts('fyers')
    const handler = refreshHandler(fyers, fixture.compose)
    const canaries = [APP.secret, await fixture.world.stored(FYERS, 'refresh_token')]
    await handler({}, lambdaContext())
    canaries.push(await fixture.world.stored(FYERS, 'access_token'))
    fixture.simulator.behaviour.refreshWithdrawn = { code: -501, status: 200 }
    fixture.world.clock.advance({ hours: 48 })
    await handler({ force: true }, lambdaContext())
    await handler({ secret: 'CANARY-IN-AN-EVENT' }, lambdaContext()).catch(() => {})
    expect(fixture.output.text()).toContain('awaiting_login')
    for (const canary of [...canaries, 'CANARY-IN-AN-EVENT'])
      expect(fixture.output.text()).not.toContain(canary as string)
  })

  test('masks a secret that somebody else’s text carries, in a line and in an error', async () => {
    const handler = refreshHandler(fyers, (_broker, telemetry) => {
      const secret = new Secret('CANARY-IN-A-LIBRARY').reveal()
      telemetry.warn(`refused ${secret}`, { reason: `because of ${secret}` })
      throw Object.assign(new TypeError(`cannot read ${secret}`), { request: { headers: secret } })
    })
    const error = await handler({}, lambdaContext()).catch((thrown: unknown) => thrown)
    expect(fixture.output.text()).toContain('because of [secret]')
    expect(error).toMatchObject({ name: 'TypeError', message: 'cannot read [secret]' })
    const { stack, ...fields } = error as Error
    expect(fixture.output.text() + String(stack) + JSON.stringify(fields)).not.toContain('CANARY')
  })

  test('drops fields that are not on the list', async () => {
    const handler = refreshHandler(fyers, (broker, telemetry) => {
      telemetry.info('shown', { account: 'fyers', accessToken: 'not for a log' })
      return fixture.compose(broker, telemetry)
    })
    await handler({}, lambdaContext())
    expect(fixture.output.lines()).toContainEqual(
      expect.objectContaining({ message: 'shown', account: 'fyers' }),
    )
    expect(fixture.output.text()).not.toContain('not for a log')
  })
})
