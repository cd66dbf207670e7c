import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { iifl } from '../../../lib/brokers/iifl/iifl.ts'
import { HttpError, type HttpRequest } from '../../../lib/ports/http.ts'
import { HTML_502, type SimulatedFault } from '../../../lib/simulators/kit/simulator.ts'
import { clockAhead } from '../../support/clock-ahead.ts'
import { recorded } from '../../support/recorded.ts'
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

const LOST: SimulatedFault = { kind: 'lost_reply' }

let setting: Setting

beforeEach(async () => {
  setting = await settingAt(THREE_AM)
})

afterEach(() => setting.world.close())

describe('R0.10 what IIFL answers to the password', () => {
  test.each(['EC002', 'EC016', 'EC030', 'EC069', 'EC999', 'Not_Ok'])(
    '%s: not even a forced run tries again',
    async (code) => {
      setting.server.failNext(PATHS.B.password, refusal(code))
      expect(await setting.run()).toMatchObject({ outcome: 'failed', code: 'human_action' })
      await setting.dayOfRuns()
      expect(setting.server.count(PATHS.B.password)).toBe(1)
    },
  )

  // biome-ignore format: one row of the README's table a line
  test.each([
    'EC004', 'EC014', 'EC020', 'EC055', 'EC076', 'EC081', 'EC703', 'EC704', 'EC705',
  ])('%s: the holder has to act, then a forced run tries again', async (code) => {
    setting.server.failNext(PATHS.B.password, refusal(code))
    expect(await setting.run()).toMatchObject({ outcome: 'failed', code: 'human_action' })
    setting.world.clock.advance({ hours: 1 })
    expect(await setting.run()).toMatchObject({ outcome: 'failed', code: 'human_action' })
    expect(setting.server.count(PATHS.B.password)).toBe(1)
    expect(await setting.run({ force: true })).toMatchObject({ outcome: 'refreshed' })
  })

  test('EC055: is tried again the next day by itself, and says how to have it tried at once', async () => {
    setting.server.failNext(PATHS.B.password, refusal('EC055'))
    const { nextAction } = await setting.run()
    expect(nextAction).toBe(
      `log in at IIFL in the browser and press Authorize once, then run tokenkeeper refresh ${setting.account} --force; else it is tried again tomorrow`,
    )
    setting.world.clock.advance({ hours: 24 })
    expect(await setting.run()).toMatchObject({ outcome: 'refreshed' })
  })

  test('EC004: a user IIFL has blocked is not tried again by itself, however many days pass', async () => {
    setting.server.failNext(PATHS.B.password, refusal('EC004'))
    await setting.run()
    setting.world.clock.advance({ hours: 72 })
    expect(await setting.run()).toMatchObject({ outcome: 'failed', code: 'human_action' })
    expect(setting.server.count(PATHS.B.password)).toBe(1)
  })

  // biome-ignore format: one row of the README's table a line
  test.each([
    'EC001', 'EC005', 'EC008', 'EC009', 'EC010', 'EC017', 'EC021', 'EC022', 'EC028', 'EC033', 'EC034', 'EC038', 'EC039',
    'EC040', 'EC041', 'EC046', 'EC047', 'EC048', 'EC049', 'EC050', 'EC053', 'EC056', 'EC057', 'EC063',
    'EC011', 'EC012', 'EC013', 'EC064', 'EC065', 'EC066',
    'EC043', 'EC035', 'EC054', 'EC058', 'EC059', 'EC060', 'EC061',
  ])('%s: the operator has to act', async (code) => {
    setting.server.failNext(PATHS.B.password, refusal(code))
    const result = await setting.run()
    expect(result).toMatchObject({ outcome: 'failed', code: 'client_rejected', reason: expect.stringContaining(code) })
    expect(result.nextAction).toMatch(/\w/)
    expect(setting.world.news).toMatchObject([{ kind: 'operator_action' }])
  })

  test.each([
    ['EC018', 60],
    ['EC019', 900],
    ['EC052', 900],
    ['EC080', 900],
  ])('%s: nothing is sent for %i s', async (code, seconds) => {
    setting.server.failNext(PATHS.B.password, refusal(code))
    // Too short a run to sit it out.
    expect(await setting.run({ seconds: 50 })).toMatchObject({ outcome: 'failed', code: 'rate_limited' })
    setting.world.clock.advance({ seconds: seconds - 10 })
    expect(await setting.run({ seconds: 50 })).toMatchObject({ outcome: 'failed', code: 'rate_limited' })
    expect(setting.server.count(PATHS.B.password)).toBe(1)
    setting.world.clock.advance({ seconds: 10 })
    expect(await setting.run({ seconds: 50 })).toMatchObject({ outcome: 'refreshed' })
    expect(setting.world.news).toHaveLength(0)
  })

  test('429: its Retry-After is kept', async () => {
    setting.server.failNext(PATHS.B.password, {
      ...refusal('Not_Ok', '', 429),
      headers: { 'retry-after': '300' },
    } as SimulatedFault)
    expect(await setting.run({ seconds: 50 })).toMatchObject({ outcome: 'failed', code: 'rate_limited' })
    setting.world.clock.advance({ seconds: 290 })
    await setting.run({ seconds: 50 })
    expect(setting.server.count(PATHS.B.password)).toBe(1)
  })

  test('429: a date in its Retry-After is IIFL’s, whatever our clock shows', async () => {
    const { world } = setting
    const headers = {
      'retry-after': new Date(world.clock.now().add({ minutes: 5 }).epochMilliseconds).toUTCString(),
    }
    setting.server.failNext(PATHS.B.password, { ...refusal('Not_Ok', '', 429), headers } as SimulatedFault)
    world.ports = { ...world.ports, clock: clockAhead(world.clock, { hours: 1 }) }
    expect(await setting.run({ seconds: 3_650 })).toMatchObject({
      outcome: 'failed',
      code: 'rate_limited',
      reason: expect.stringContaining('for 300 s'),
    })
  })

  test('EC003: a passing fault, tried again after the least gap and counted', async () => {
    setting.server.failNext(PATHS.B.password, refusal('EC003'))
    const before = setting.world.clock.now()
    expect(await setting.run()).toMatchObject({ outcome: 'refreshed' })
    expect(before.until(setting.world.clock.now()).total('seconds')).toBeGreaterThanOrEqual(60)
    expect((await setting.world.ports.states.get(setting.account))?.attempts).toHaveLength(2)
    expect(setting.world.news).toHaveLength(0)
  })

  test('Ok without a token: the contract changed', async () => {
    setting.server.failNext(PATHS.B.password, refusal('Ok'))
    expect(await setting.run()).toMatchObject({ outcome: 'failed', code: 'response_unexpected' })
  })
})

describe('an illegal key (EC062)', () => {
  test.each(['A', 'B'] as const)('is answered once with new keys by variant %s', async (name) => {
    setting = await restartedWith(name, setting)
    setting.server.failNext(PATHS[name].password, refusal('EC062'))
    expect(await setting.run()).toMatchObject({ outcome: 'refreshed' })
    expect(setting.server.count(PATHS[name].keys)).toBe(2)
    expect(setting.passwords()).toBe(1)
    expect((await setting.world.ports.states.get(setting.account))?.attempts).toHaveLength(1)
  })

  test('at the TOTP step renews the keys, not the password', async () => {
    // Six seconds are left: the wait for the next step outlasts the key.
    setting.world.clock.advance({ seconds: 24 })
    setting.simulator.behaviour.keyLifeSeconds = 5
    expect(await setting.run()).toMatchObject({ outcome: 'refreshed' })
    expect(setting.server.count(PATHS.B.keys)).toBe(2)
    expect(setting.passwords()).toBe(1)
  })

  test('twice is left to a later try, within the login budget', async () => {
    setting = await restartedWith('A', setting)
    // Dead before the keys have settled.
    setting.simulator.behaviour.keyLifeSeconds = 10
    expect(await setting.run()).toMatchObject({ outcome: 'failed' })
    expect(setting.passwords()).toBe(0)
    expect(setting.world.news).toHaveLength(0)
    expect((await setting.world.ports.states.get(setting.account))?.attempts).toHaveLength(2)
  })
})

describe('the session step', () => {
  test.each(['Not_Ok', 'EC001', 'EC044', 'EC999'])(
    '%s is a refusal, and a person is asked to log in',
    async (status) => {
      setting.server.failNext(SESSION, refusal(status))
      expect(await setting.run()).toMatchObject({ outcome: 'awaiting_login' })
      await setting.dayOfRuns()
      expect(setting.server.count(SESSION)).toBe(1)
      expect(setting.world.news).toMatchObject([{ kind: 'login_needed' }])
    },
  )

  test('a wrong app secret makes a wrong checksum, and the password is not sent again for it', async () => {
    await setting.world.store(setting.account, { client_secret: 'S3CRET-of-another' })
    expect(await setting.run()).toMatchObject({ outcome: 'awaiting_login' })
    await setting.dayOfRuns()
    expect(setting.passwords()).toBe(1)
  })

  test('a blocked user is still a blocked user', async () => {
    setting.server.failNext(SESSION, refusal('EC004'))
    expect(await setting.run()).toMatchObject({ outcome: 'failed', code: 'human_action' })
  })

  test.each(['A', 'B'] as const)(
    'variant %s: an app that is not authorised yet needs its holder',
    async (name) => {
      setting = await restartedWith(name, setting)
      setting.simulator.behaviour.authorized = false
      const result = await setting.run()
      expect(result).toMatchObject({
        outcome: 'failed',
        code: 'human_action',
        reason: expect.stringContaining('EC055'),
      })
      expect(result.nextAction).toContain('press Authorize')
    },
  )

  test('a wrong app key stops variant B before its password', async () => {
    await setting.world.store(setting.account, { client_id: 'NOAPPKEY-canary' })
    expect(await setting.run()).toMatchObject({
      code: 'client_rejected',
      reason: expect.stringContaining('EC054'),
    })
    expect(setting.passwords()).toBe(0)
  })
})

describe('before the password', () => {
  test.each(['A', 'B'] as const)('variant %s: faults pass, and no login is counted', async (name) => {
    setting = await restartedWith(name, setting)
    for (const fault of [HTML_502, LOST]) setting.server.failNext(PATHS[name].keys, fault)
    expect(await setting.run()).toMatchObject({ outcome: 'refreshed' })
    expect((await setting.world.ports.states.get(setting.account))?.attempts).toHaveLength(1)
    expect(setting.passwords()).toBe(1)
  })

  test('an unreachable IIFL costs nothing and pages nobody', async () => {
    const { world, account } = setting
    // Port 9 is nobody's here: the connection is refused.
    const nowhere = Object.fromEntries(Object.keys(iifl.hosts).map((host) => [host, 'http://127.0.0.1:9']))
    world.ports = { ...world.ports, hosts: nowhere }
    expect(await setting.run()).toMatchObject({ outcome: 'failed', code: 'broker_unavailable' })
    expect((await world.ports.states.get(account))?.attempts).toHaveLength(0)
    expect(world.news).toHaveLength(0)
  })

  test.each([PATHS.B.totp, SESSION])(
    'a host that vanishes at %s, after the password, counts that login',
    async (path) => {
      const { world, account, server } = setting
      const { http } = world.ports
      const send = (request: HttpRequest) =>
        http.send(request.url.endsWith(path) ? { ...request, url: 'http://127.0.0.1:9' } : request)
      world.ports = { ...world.ports, http: { send } }
      expect(await setting.run({ seconds: 46 })).toMatchObject({
        outcome: 'failed',
        code: 'broker_unavailable',
      })
      expect(server.count(PATHS.B.password)).toBe(1)
      expect((await world.ports.states.get(account))?.attempts).toHaveLength(1)
    },
  )

  test.each(['bm8ga2V5', ''])('a key that is none (%j) is a changed contract', async (cPubKey) => {
    setting.server.failNext(PATHS.B.keys, {
      kind: 'reply',
      status: 200,
      body: JSON.stringify({ status: 'Ok', cPubKey }),
    })
    expect(await setting.run()).toMatchObject({ code: 'response_unexpected' })
    expect(setting.passwords()).toBe(0)
  })

  describe('a slow key exchange', () => {
    const isExchange = ({ url }: HttpRequest): boolean => url.endsWith(PATHS.B.keys)

    test('of up to 20 s is waited for, longer than for anything else', async () => {
      const sent = recorded(setting.world)
      expect(await setting.run()).toMatchObject({ outcome: 'refreshed' })
      const limits = (requests: readonly HttpRequest[]) => requests.map(({ timeoutMs }) => timeoutMs)
      expect(limits(sent.filter(isExchange))).toEqual([20_000])
      const others = limits(sent.filter((request) => !isExchange(request)))
      expect(new Set(others)).toEqual(new Set([15_000]))
    })

    test('that takes longer is given up, and tried again without counting a login', async () => {
      setting.world.failNext('http.send', {
        only: isExchange,
        error: new HttpError('TIMEOUT', { sent: true }),
      })
      const sent = recorded(setting.world)
      expect(await setting.run()).toMatchObject({ outcome: 'refreshed' })
      expect(sent.filter(isExchange)).toHaveLength(2)
      expect((await setting.world.ports.states.get(setting.account))?.attempts).toHaveLength(1)
    })
  })
})

describe('secrets', () => {
  test.each(['A', 'B'] as const)(
    'of a login by variant %s are said nowhere, whatever goes wrong',
    async (name) => {
      setting = await restartedWith(name, setting)
      const { world, server, simulator, account } = setting
      const echo = JSON.stringify([ONE.password, ONE.appSecret, ONE.totpSecret, ONE.appKey])
      for (const path of [...Object.values(PATHS[name]), SESSION]) {
        for (const fault of [refusal('EC003', echo), refusal('EC999', echo), refusal(echo, echo, 500)]) {
          server.failNext(path, fault)
          await setting.run({ force: true })
          world.clock.advance({ hours: 13 })
          await world.store(account, {
            password: ONE.password,
            totp_secret: ONE.totpSecret,
            client_secret: ONE.appSecret,
          })
        }
      }
      expect(await setting.run({ force: true })).toMatchObject({ outcome: 'refreshed' })
      const said = world.said() + JSON.stringify(await world.ports.states.get(account))
      const session = (await world.stored(account, 'access_token')) as string
      const codes = simulator.login.codes.map(({ code }) => String(code))
      const secrets = [
        ONE.password,
        ONE.appSecret,
        ONE.totpSecret,
        ONE.appKey,
        session,
        'AUTHCODE',
        'canary',
        ...codes,
      ]
      for (const secret of secrets) expect(said).not.toContain(secret)
      expect(said).toContain('iifl/IIFLTEST1')
    },
  )
})
