import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { clockAhead } from '../../support/clock-ahead.ts'
import { ONE, PATHS, refusal, restartedWith, type Setting, settingAt, THREE_AM, TWO } from './iifl-fixture.ts'

let setting: Setting

beforeEach(async () => {
  setting = await settingAt(THREE_AM)
})

afterEach(() => setting.world.close())

describe.each(['A', 'B'] as const)('a refused one-time code by variant %s', (name) => {
  beforeEach(async () => {
    setting = await restartedWith(name, setting)
  })

  test.each(['EC036', 'EC024', 'EC025'])(
    '%s: only that step is repeated, in the next 30 s step',
    async (code) => {
      setting.server.failNext(PATHS[name].totp, refusal(code))
      const before = setting.world.clock.now()
      expect(await setting.run()).toMatchObject({ outcome: 'refreshed' })
      expect(setting.server.count(PATHS[name].totp)).toBe(2)
      expect(setting.passwords()).toBe(1)
      expect(before.until(setting.world.clock.now()).total('seconds')).toBeLessThanOrEqual(30)
    },
  )

  test('a wrong TOTP secret is used for two codes and never again', async () => {
    await setting.world.store(setting.account, { totp_secret: TWO.totpSecret })
    expect(await setting.run()).toMatchObject({ outcome: 'failed', code: 'human_action' })
    await setting.dayOfRuns()
    const { codes } = setting.simulator.login
    expect(codes).toHaveLength(2)
    expect(codes[1]?.step).toBe((codes[0]?.step ?? 0) + 1)
    expect(setting.passwords()).toBe(1)
  })

  test('whose login is refused at the repeat starts again on a later run', async () => {
    setting.server.failNext(PATHS[name].totp, refusal('EC036'))
    setting.simulator.behaviour.stepTokenLifeSeconds = 15
    expect(await setting.run()).toMatchObject({ outcome: 'ambiguous', code: 'ambiguous' })
    expect(setting.passwords()).toBe(1)
    setting.world.clock.advance({ minutes: 5 })
    expect(await setting.run()).toMatchObject({ outcome: 'refreshed' })
    expect(setting.world.news).toHaveLength(0)
  })
})

describe.each(['A', 'B'] as const)('with a clock of ours that is not IIFL’s, by variant %s', (name) => {
  test.each([-3_000, -400, 300, 1_200, 3_000])(
    'ahead by %i ms, no one-time code is refused for its time, whenever in a step the login begins',
    async (aheadMs) => {
      for (const intoStepMs of [0, 29_700]) {
        setting = await restartedWith(name, setting)
        const { world, simulator } = setting
        world.clock.advance({ milliseconds: intoStepMs })
        world.ports = { ...world.ports, clock: clockAhead(world.clock, { milliseconds: aheadMs }) }
        expect(await setting.run()).toMatchObject({ outcome: 'refreshed' })
        expect(simulator.login.codes.map(({ right }) => right)).toEqual([true])
      }
    },
  )
})

describe('one-time codes that were refused, perhaps for their time only', () => {
  const refuseCodes = (): void => {
    for (const _ of [1, 2]) setting.server.failNext(PATHS.B.totp, refusal('EC036'))
  }

  test('block the login until the next day, and not longer', async () => {
    refuseCodes()
    expect(await setting.run()).toMatchObject({
      outcome: 'failed',
      code: 'human_action',
      nextAction: expect.stringContaining('check the clock of this machine'),
    })
    const block = (await setting.world.ports.states.get(setting.account))?.blocks.credentials
    expect(block).toMatchObject({ code: 'human_action', forcible: false })
    expect(block?.until?.toString()).toBe('2026-11-23T18:30:00Z')
    setting.world.clock.set('2026-11-23T23:59:59+05:30')
    expect(await setting.run({ force: true })).toMatchObject({ outcome: 'failed', code: 'human_action' })
    expect(setting.passwords()).toBe(1)
    setting.world.clock.set('2026-11-24T00:00:00+05:30')
    expect(await setting.run()).toMatchObject({ outcome: 'refreshed' })
    expect(setting.world.news.map(({ kind }) => kind)).toEqual(['human_action', 'solved'])
  })

  test('are tried again at once when the secret is stored again', async () => {
    refuseCodes()
    await setting.run()
    setting.world.clock.advance({ minutes: 2 })
    await setting.world.store(setting.account, { totp_secret: ONE.totpSecret })
    expect(await setting.run()).toMatchObject({ outcome: 'refreshed' })
  })
})

test('one absurd Date header does not hold up one-time codes until the day it names', async () => {
  const { world, account } = setting
  const { http } = world.ports
  const aYearAhead: typeof http.send = async (request) => {
    const reply = await http.send(request)
    return { ...reply, headers: { ...reply.headers, date: 'Tue, 23 Nov 2027 00:00:00 GMT' } }
  }
  world.ports = { ...world.ports, http: { send: aYearAhead } }
  expect(await setting.run()).toMatchObject({ outcome: 'failed', code: 'human_action' })
  world.ports = { ...world.ports, http }
  world.clock.advance({ hours: 1 })
  await world.store(account, { totp_secret: ONE.totpSecret })
  expect(await setting.run()).toMatchObject({ outcome: 'refreshed' })
})
