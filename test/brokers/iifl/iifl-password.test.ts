import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { iifl } from '../../../lib/brokers/iifl/iifl.ts'
import type { Broker } from '../../../lib/ports/broker/broker.ts'
import type { StoredSecrets } from '../../../lib/ports/token-vault.ts'
import { HTML_200, HTML_502, type SimulatedFault } from '../../../lib/simulators/kit/simulator.ts'
import {
  ONE,
  PATHS,
  refusal,
  restartedWith,
  SESSION,
  type Setting,
  settingAt,
  THREE_AM,
} from './iifl-fixture.ts'

const AUTHORIZE = '/v1/sso/vendor/authorize'
const LOST: SimulatedFault = { kind: 'lost_reply' }

let setting: Setting

beforeEach(async () => {
  setting = await settingAt(THREE_AM)
})

afterEach(() => setting.world.close())

describe.each(['A', 'B'] as const)('a wrong password by variant %s', (name) => {
  beforeEach(async () => {
    setting = await restartedWith(name, setting)
    await setting.world.store(setting.account, { password: 'Wr0ng-canary' })
  })

  test.each([
    ['plain', false, 'status', 200],
    ['in the text of a Not_Ok', false, 'message', 200],
    ['under status 401', false, 'status', 401],
    ['under status 500', false, 'status', 500],
    ['encrypted where replies are', true, 'message', 200],
  ] as const)(
    'told %s is sent once, however many runs there are',
    async (_how, encryptsErrors, codeIn, failureStatus) => {
      Object.assign(setting.simulator.behaviour, { encryptsErrors, codeIn, failureStatus })
      expect(await setting.run()).toMatchObject({ outcome: 'failed', code: 'human_action' })
      expect(new Set(await setting.dayOfRuns())).toEqual(new Set(['failed']))
      expect(setting.passwords()).toBe(1)
      expect(setting.world.news).toMatchObject([
        { kind: 'human_action', reason: expect.stringContaining('EC016') },
      ])
    },
  )

  test('is over once the right one is stored', async () => {
    await setting.run()
    setting.world.clock.advance({ minutes: 5 })
    await setting.world.store(setting.account, { password: ONE.password })
    expect(await setting.run()).toMatchObject({ outcome: 'refreshed' })
    expect(setting.world.news.map(({ kind }) => kind)).toEqual(['human_action', 'solved'])
  })
})

describe('a wrong password is not sent again', () => {
  beforeEach(() => setting.world.store(setting.account, { password: 'Wr0ng-canary' }))

  test('when the state table has a fault just as the refusal is to be recorded', async () => {
    const { world } = setting
    world.failNext('states.replace', { skip: 1, times: 2 })
    await setting.run()
    world.clock.advance({ hours: 2 })
    await setting.run()
    expect(setting.passwords()).toBe(1)
  })

  test('when the process dies while a person is told, who is told by the next run', async () => {
    const { world } = setting
    const dying = world.failNext('notifier.notify', { hangs: true })
    void setting.run({ seconds: 600 })
    await dying.happened
    world.clock.advance({ hours: 2 })
    expect(await setting.run()).toMatchObject({ outcome: 'failed', code: 'human_action' })
    expect(setting.passwords()).toBe(1)
    expect(world.news.map(({ kind }) => kind)).toEqual(['human_action'])
  })

  test('when SSM answers with the one before, which was refused earlier', async () => {
    const { world, account } = setting
    const { vault } = world.ports
    const before = await vault.read(account, ['password'])
    await setting.run()
    world.clock.advance({ minutes: 5 })
    await world.store(account, { password: 'Wr0ng-canary-too' })
    await setting.run()
    world.clock.advance({ hours: 2 })
    const stale: typeof vault.read = async (...asked): Promise<StoredSecrets> =>
      new Map([...(await vault.read(...asked)), ...before])
    world.ports = { ...world.ports, vault: { ...vault, read: stale } }
    expect(await setting.run()).toMatchObject({ outcome: 'failed', code: 'human_action' })
    expect(setting.passwords()).toBe(2)
  })

  test('but a second wrong one that somebody stores is told as the first was', async () => {
    const { world, account } = setting
    await setting.run()
    world.clock.advance({ minutes: 5 })
    await world.store(account, { password: 'Wr0ng-canary-too' })
    for (let i = 0; i < 3; i++) {
      await setting.run()
      world.clock.advance({ minutes: 30 })
    }
    expect(world.news.map(({ kind }) => kind)).toEqual(['human_action', 'human_action'])
  })
})

describe('a login whose fate is unknown', () => {
  const steps = [
    ['A', 'password', PATHS.A.password],
    ['A', 'totp', PATHS.A.totp],
    ['A', 'session', SESSION],
    ['B', 'password', PATHS.B.password],
    ['B', 'totp', PATHS.B.totp],
    ['B', 'authorize', AUTHORIZE],
    ['B', 'session', SESSION],
  ] as const
  const faults: readonly [string, SimulatedFault][] = [
    ['a lost reply', LOST],
    ['an HTML 502', HTML_502],
    ['HTML with status 200', HTML_200],
    ['half a reply', { kind: 'truncated' }],
    ['a JSON 503', refusal('unavailable', '', 503)],
  ]

  test.each(steps.flatMap((step) => faults.map((fault) => [...step, ...fault] as const)))(
    'variant %s, %s step (%s), %s: counted, not repeated, and made anew once the password is known to be right',
    async (name, step, path, _what, fault) => {
      setting = await restartedWith(name, setting)
      setting.server.failNext(path, fault)
      expect(await setting.run()).toMatchObject({ outcome: 'ambiguous', code: 'ambiguous' })
      expect(setting.server.count(path)).toBe(1)
      expect((await setting.world.ports.states.get(setting.account))?.attempts).toHaveLength(1)
      setting.world.clock.advance({ minutes: 2 })
      if (step === 'password') {
        // IIFL locks after three wrong ones, and this one may have been wrong (I7).
        const asked = { outcome: 'awaiting_login', reason: expect.stringContaining('could lock the account') }
        expect(await setting.run()).toMatchObject(asked)
        expect(await setting.run({ force: true })).toMatchObject(asked)
        expect(setting.server.count(path)).toBe(1)
        await setting.world.store(setting.account, { password: ONE.password })
      }
      expect(await setting.run()).toMatchObject({ outcome: 'refreshed' })
      expect((await setting.world.ports.states.get(setting.account))?.unconfirmed).toBeUndefined()
    },
  )

  test('a broken envelope is one', async () => {
    const fault: SimulatedFault = {
      kind: 'reply',
      status: 200,
      body: JSON.stringify({ cRespEncData: 'bm90IG9uZQ==' }),
    }
    setting.server.failNext(PATHS.B.password, fault)
    expect(await setting.run()).toMatchObject({ outcome: 'ambiguous' })
  })

  test('EC003 at the session step is one: its auth code counts as spent', async () => {
    setting.server.failNext(SESSION, refusal('EC003'))
    expect(await setting.run()).toMatchObject({ outcome: 'ambiguous' })
    expect(setting.server.count(SESSION)).toBe(1)
    setting.world.clock.advance({ minutes: 2 })
    expect(await setting.run()).toMatchObject({ outcome: 'refreshed' })
  })

  test('never costs more than the login budget of two an hour and four a day', async () => {
    for (let i = 0; i < 50; i++) setting.server.failNext(PATHS.B.totp, LOST)
    await setting.run()
    for (const minutes of [2, 2, 2, 20]) {
      setting.world.clock.advance({ minutes })
      await setting.run({ force: true, seconds: 50 })
    }
    expect(setting.passwords()).toBe(2)
    await setting.dayOfRuns()
    expect(setting.passwords()).toBe(4)
  })

  test('does not use its TOTP step again, also not by another run in the same 30 s', async () => {
    const [grant] = iifl.grants
    const eager: Broker = { ...iifl, grants: [{ ...grant, budget: { minimumGapSeconds: 0 } }] }
    setting.simulator.behaviour.codeGapSeconds = 0
    setting.server.failNext(PATHS.B.totp, LOST)
    await setting.world.run(eager)
    const { report } = await setting.world.run(eager)
    expect(report).toMatchObject({ refreshed: 1 })
    const { codes } = setting.simulator.login
    expect(codes.map(({ right }) => right)).toEqual([true, true])
    expect(codes[1]?.step).toBe((codes[0]?.step ?? 0) + 1)
  })
})
