import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { iifl } from '../../../lib/brokers/iifl/iifl.ts'
import { deviceIdOf } from '../../../lib/brokers/iifl/variant-b.ts'
import { brokerNamed } from '../../../lib/brokers/index.ts'
import { Secret } from '../../../lib/model/secrets/secret.ts'
import { type Progress, runBroker } from '../../../lib/tokens/refresh/run.ts'
import { World } from '../../support/world.ts'
import { PATHS, PROFILE, refusal, type Setting, secretsOf, settingAt, TWO, variant } from './iifl-fixture.ts'

const THREE_AM = '2026-11-23T03:00:00+05:30'

let setting: Setting

beforeEach(async () => {
  setting = await settingAt(THREE_AM)
})

afterEach(() => setting.world.close())

async function restartedAt(...start: Parameters<typeof settingAt>): Promise<void> {
  await setting.world.close()
  setting = await settingAt(...start)
}

describe.each(['A', 'B'] as const)('an unattended login by variant %s', (name) => {
  beforeEach(() => restartedAt(THREE_AM, variant(name)))

  test('publishes a session that the profile call proved', async () => {
    const { world, simulator, server, account } = setting
    expect(await setting.run()).toMatchObject({
      outcome: 'refreshed',
      userID: 'IIFLTEST1',
      clientName: 'SIM USER ONE',
      tokenValidity: '2026-11-24T06:00:00+05:30',
    })
    expect(await world.stored(account, 'access_token')).toMatch(/^ey/)
    expect(simulator.passwordAttempts('IIFLTEST1')).toBe(1)
    expect(server.count(PATHS[name].totp)).toBe(1)
    expect(server.count(PROFILE)).toBe(1)
    expect(server.count(PATHS[name === 'A' ? 'B' : 'A'].keys)).toBe(0)
  })

  test('a second run finds it fresh and calls nobody', async () => {
    await setting.run()
    const before = setting.server.seen.length
    expect(await setting.run()).toMatchObject({ outcome: 'fresh' })
    expect(setting.server.seen.length).toBe(before)
  })

  test.each(['object', 'array', 'top'] as const)('reads step replies of the shape "%s"', async (shape) => {
    setting.simulator.behaviour.resultShape = shape
    expect(await setting.run()).toMatchObject({ outcome: 'refreshed' })
  })

  test.each(['userSession', 'object', 'array', 'accessToken'] as const)(
    'reads the session at "%s"',
    async (shape) => {
      setting.simulator.behaviour.sessionShape = shape
      expect(await setting.run()).toMatchObject({ outcome: 'refreshed' })
    },
  )

  test('reads the key at its other place', async () => {
    setting.simulator.behaviour.keyShape = 'seData'
    expect(await setting.run()).toMatchObject({ outcome: 'refreshed' })
  })

  test('sends a code with its leading zero', async () => {
    await restartedAt('2026-09-12T08:28:00Z', variant(name))
    // The settling time of variant A ends in the same step.
    expect(await setting.run()).toMatchObject({ outcome: 'refreshed' })
    expect(setting.simulator.login.codes).toMatchObject([{ code: '045416', right: true }])
  })
})

describe('the variants', () => {
  test('B is used unless the account says otherwise', async () => {
    await setting.run()
    expect(setting.server.count(PATHS.B.password)).toBe(1)
  })

  test('A waits until the keys have settled', async () => {
    await restartedAt(THREE_AM, variant('A'))
    setting.simulator.behaviour.keySettleSeconds = 10
    expect(await setting.run()).toMatchObject({ outcome: 'refreshed' })
    expect(setting.server.count(PATHS.A.keys)).toBe(1)
  })

  test.each(['C', 'b', 'constructor'])('"%s" is none, and nothing is sent', async (headlessVariant) => {
    await restartedAt(THREE_AM, { options: { headlessVariant } })
    expect(await setting.run()).toMatchObject({ outcome: 'failed', code: 'configuration_invalid' })
    expect(setting.server.seen).toHaveLength(0)
  })

  test('B names one device per account, the same each day, that tells nothing of its secrets', async () => {
    const { world, simulator } = setting
    const second = await world.account('iifl/IIFLTEST2', secretsOf(TWO))
    for (const day of [23, 24, 25]) {
      world.clock.set(`2026-11-${day}T03:00:00+05:30`)
      await world.run(iifl, { force: true })
    }
    const devices = [...simulator.devices.values()].map((ids) => [...ids])
    expect(devices).toEqual([
      [expect.stringMatching(/^[0-9a-f]{32}$/)],
      [expect.stringMatching(/^[0-9a-f]{32}$/)],
    ])
    expect(devices[0]).not.toEqual(devices[1])
    expect(await world.stored(second, 'session')).toBeUndefined()
  })
})

describe('deviceIdOf', () => {
  const deviceOf = (values: Record<string, string>): string =>
    deviceIdOf({ secret: (name) => new Secret(values[name] ?? '', { masked: false }) })

  test('differs between users who share an authenticator, and not by how the id is typed', () => {
    const totp_secret = TWO.totpSecret
    const device = deviceOf({ user_id: 'IIFLTEST1', totp_secret })
    expect(deviceOf({ user_id: 'iifltest1', totp_secret })).toBe(device)
    expect(deviceOf({ user_id: 'IIFLTEST2', totp_secret })).not.toBe(device)
  })

  test('stays the same when password and app are changed', () => {
    const fixed = { user_id: 'IIFLTEST1', totp_secret: TWO.totpSecret }
    expect(deviceOf({ ...fixed, password: 'new', client_secret: 'new' })).toBe(deviceOf(fixed))
  })
})

describe('without a stored password or TOTP secret', () => {
  test.each(['password', 'totp_secret'] as const)(
    'no %s: a person is asked, once, and nothing is sent',
    async (name) => {
      const { world, server, account } = setting
      await world.ports.vault.remove(account, name)
      expect(await setting.run()).toMatchObject({ outcome: 'awaiting_login' })
      world.clock.advance({ hours: 5 })
      expect(await setting.run()).toMatchObject({ outcome: 'awaiting_login' })
      expect(server.seen).toHaveLength(0)
      expect(world.news).toMatchObject([
        {
          kind: 'login_needed',
          action: 'log in at IIFL: tokenkeeper login iifl/IIFLTEST1',
        },
      ])
    },
  )
})

describe('how long a session lives', () => {
  test('without exp it is taken to die at 06:00 IST of the next calendar day', async () => {
    setting.simulator.behaviour.sessionHasExp = false
    expect(await setting.run()).toMatchObject({
      outcome: 'refreshed',
      tokenValidity: '2026-11-24T06:00:00+05:30',
    })
  })

  test('without exp, ended overnight, it is found dead and replaced before the open', async () => {
    const { simulator, world, server, account } = setting
    simulator.behaviour.sessionHasExp = false
    simulator.behaviour.death = { at: '06:00', timeZone: 'Asia/Kolkata', day: 'first' }
    await setting.run()
    world.clock.set('2026-11-23T07:30:00+05:30')
    expect(await setting.run()).toMatchObject({ outcome: 'refreshed' })
    const session = await world.stored(account, 'access_token')
    expect(simulator.sessions.holder(session)).toMatchObject({ clientId: 'IIFLTEST1' })
    const proofs = server.count(PROFILE)
    world.clock.set('2026-11-23T08:30:00+05:30')
    expect(await setting.run()).toMatchObject({ outcome: 'fresh' })
    // The one near the open, and no more.
    expect(server.count(PROFILE)).toBe(proofs + 1)
  })

  test('a session proven for today is kept when the profile call fails for another reason than the session', async () => {
    const { world, server, simulator } = setting
    await setting.run()
    world.clock.set('2026-11-23T07:30:00+05:30')
    server.failNext(PROFILE, refusal('EC054'))
    expect(await setting.run()).toMatchObject({ outcome: 'failed', code: 'client_rejected' })
    expect(await setting.run()).toMatchObject({ outcome: 'fresh' })
    expect(simulator.passwordAttempts('IIFLTEST1')).toBe(1)
    expect(world.news.map(({ kind }) => kind)).toEqual(['operator_action', 'solved'])
  })

  test('its exp decides where it has one', async () => {
    setting.simulator.behaviour.death = { at: '23:59', timeZone: 'Asia/Kolkata', day: 'first' }
    expect(await setting.run()).toMatchObject({ tokenValidity: '2026-11-23T23:59:00+05:30' })
  })

  test('R0.7 the 12 h ceiling applies, and a run before the close renews what would die before it', async () => {
    await restartedAt(THREE_AM, { maxLifetimeHours: 12 })
    expect(await setting.run()).toMatchObject({
      outcome: 'refreshed',
      tokenValidity: '2026-11-23T15:00:00+05:30',
    })
    setting.world.clock.set('2026-11-23T07:30:00+05:30')
    expect(await setting.run()).toMatchObject({
      outcome: 'refreshed',
      reason: 'the access token would die before the market closes',
      tokenValidity: '2026-11-23T19:30:00+05:30',
    })
    setting.world.clock.set('2026-11-23T08:30:00+05:30')
    expect(await setting.run()).toMatchObject({ outcome: 'fresh' })
    expect(setting.simulator.passwordAttempts('IIFLTEST1')).toBe(2)
  })

  test('R0.7 an exp before the ceiling wins', async () => {
    await restartedAt(THREE_AM, { maxLifetimeHours: 12 })
    setting.simulator.behaviour.death = { at: '06:00', timeZone: 'Asia/Kolkata', day: 'first' }
    expect(await setting.run()).toMatchObject({ tokenValidity: '2026-11-23T06:00:00+05:30' })
    setting.world.clock.set('2026-11-23T07:30:00+05:30')
    expect(await setting.run()).toMatchObject({
      outcome: 'refreshed',
      tokenValidity: '2026-11-23T19:30:00+05:30',
    })
  })

  test('R0.7 without a ceiling the night’s token serves the whole day', async () => {
    await setting.run()
    setting.world.clock.set('2026-11-23T08:30:00+05:30')
    expect(await setting.run()).toMatchObject({ outcome: 'fresh' })
  })
})

describe('the proof', () => {
  test.each([
    ['EC044', 1],
    ['EC075', 1],
    ['HTTP 401', 2],
    ['Not_Ok', 2],
  ] as const)(
    'a stored session that is dead by %s is replaced after %i looks',
    async (deadSession, looks) => {
      const { world, simulator, server, account } = setting
      await world.store(account, { access_token: simulator.sessionOf('IIFLTEST1') })
      simulator.sessions.end('IIFLTEST1')
      simulator.behaviour.deadSession = deadSession
      expect(await setting.run()).toMatchObject({ outcome: 'refreshed' })
      // One more proves the new session.
      expect(server.count(PROFILE)).toBe(looks + 1)
    },
  )

  test('a single plain Not_Ok is looked at again after 2 s and discards nothing', async () => {
    const { world, simulator, server, account } = setting
    const session = simulator.sessionOf('IIFLTEST1')
    await world.store(account, { access_token: session })
    server.failNext(PROFILE, refusal('Not_Ok', 'something'))
    const before = world.clock.now()
    await setting.run()
    expect(await world.stored(account, 'access_token')).toBe(session)
    expect(before.until(world.clock.now()).total('seconds')).toBe(2)
    expect(simulator.passwordAttempts('IIFLTEST1')).toBe(0)
  })

  test('EC045 says that the token is valid, so it is no error', async () => {
    const { world, simulator, server, account } = setting
    const session = simulator.sessionOf('IIFLTEST1')
    await world.store(account, { access_token: session })
    const body = { status: 'EC045', message: 'Token is valid', result: { clientId: 'IIFLTEST1' } }
    server.failNext(PROFILE, { kind: 'reply', status: 200, body: JSON.stringify(body) })
    expect(await setting.run()).toMatchObject({ outcome: 'refreshed', userID: 'IIFLTEST1' })
    expect(await world.stored(account, 'access_token')).toBe(session)
    expect(server.count(PROFILE)).toBe(1)
  })

  test.each(['EC923', 'EC924', 'EC940'])(
    'a passing fault of the profile call is repeated (%s)',
    async (code) => {
      setting.server.failNext(PROFILE, refusal(code))
      expect(await setting.run()).toMatchObject({ outcome: 'refreshed' })
      expect(setting.simulator.passwordAttempts('IIFLTEST1')).toBe(1)
    },
  )

  test('a client id in other letters is the same client', async () => {
    setting.simulator.behaviour.profileClientId = 'iifltest1'
    setting.simulator.behaviour.claimedClientId = 'IiflTest1'
    expect(await setting.run()).toMatchObject({ outcome: 'refreshed' })
  })

  test.each(['claimedClientId', 'profileClientId'] as const)(
    'another %s is refused and nothing is published',
    async (who) => {
      const { world, simulator, account } = setting
      simulator.behaviour[who] = 'IIFLTEST2'
      expect(await setting.run()).toMatchObject({ outcome: 'failed', code: 'wrong_account' })
      expect(await world.stored(account, 'access_token')).toBeUndefined()
      expect(world.news).toMatchObject([{ kind: 'human_action' }])
      world.clock.advance({ hours: 2 })
      await setting.run()
      expect(simulator.passwordAttempts('IIFLTEST1')).toBe(1)
    },
  )
})

describe('several accounts', () => {
  test('R0.8 one that is managed elsewhere is skipped, its placeholder untouched', async () => {
    const { world, server } = setting
    const external = await world.account(
      'iifl/IIFLTEST2',
      { access_token: 'placeholder' },
      { managedBy: 'external' },
    )
    const { report } = await world.run(iifl)
    expect(report).toMatchObject({ refreshed: 1, skipped: 1, failed: 0, total: 2, success: true })
    expect(await world.stored(external, 'access_token')).toBe('placeholder')
    expect(server.count(PROFILE)).toBe(1)
  })

  test('R0.9 each starts at least 2 s after the one before', async () => {
    const { world } = setting
    await world.account('iifl/IIFLTEST2', secretsOf(TWO))
    const starts: number[] = []
    const onProgress = ({ event }: Progress): void => {
      if (event === 'started') starts.push(world.clock.now().epochMilliseconds)
    }
    const hardDeadline = world.clock.now().add({ minutes: 14 })
    const { report } = await runBroker({ broker: iifl, owner: 'run', hardDeadline, onProgress }, world.ports)
    expect(report).toMatchObject({ refreshed: 2, total: 2 })
    expect(starts).toHaveLength(2)
    expect((starts[1] as number) - (starts[0] as number)).toBeGreaterThanOrEqual(2000)
  })

  test('one wrong password touches nobody else', async () => {
    const { world } = setting
    await world.account('iifl/IIFLTEST2', { ...secretsOf(TWO), password: 'Wr0ng-canary' })
    const { report } = await world.run(iifl)
    expect(report.results.map(({ outcome }) => outcome)).toEqual(['refreshed', 'failed'])
  })
})

describe('set-up', () => {
  test('R0.1 runs daily at 03:00 IST, and again before the open', () => {
    expect(iifl.schedule).toMatchObject({ timeZone: 'Asia/Kolkata' })
    expect(iifl.schedule.expressions).toContain('cron(0 3 * * ? *)')
    expect(iifl.schedule.expressions).toContain('cron(0/15 8 ? * MON-FRI *)')
  })

  test('R0.10 says what to do when there are no accounts', async () => {
    const empty = new World(THREE_AM)
    const { report } = await empty.run(iifl)
    expect(report).toMatchObject({ success: false, message: 'no accounts: run tokenkeeper setup iifl' })
    await empty.close()
  })

  test('is registered, and warns of its undocumented endpoints', () => {
    expect(brokerNamed('iifl')).toBe(iifl)
    expect(iifl.warning).toMatch(/does not document/)
  })

  test.each([
    ['user_id', 'IIFLTEST1', 'IIFL TEST'],
    ['password', 'Passw0rd!', 'Passw0rd !'],
    ['totp_secret', 'jbsw y3dp ehpk 3pxp', '541734'],
    ['totp_secret', 'JBSWY3DPEHPK3PXP', 'otpauth://totp/x?secret=JBSWY3DPEHPK3PXP'],
  ])('checks the form of %s without repeating it', (name, good, bad) => {
    const field = brokerNamed('iifl').credentials.find((credential) => credential.name === name)
    expect(field?.problem?.(good)).toBeUndefined()
    expect(field?.problem?.(bad)).toEqual(expect.any(String))
    expect(field?.problem?.(bad)).not.toContain(bad)
  })
})
