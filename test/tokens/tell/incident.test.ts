import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { configured } from '../../../lib/brokers/configured.ts'
import type { AccountId } from '../../../lib/model/account-id.ts'
import { TokenVaultError } from '../../../lib/model/errors.ts'
import type { Broker } from '../../../lib/ports/broker/broker.ts'
import { HttpError } from '../../../lib/ports/http.ts'
import { loginbroker } from '../../support/login-broker.ts'
import { LoginWorld } from '../../support/login-world.ts'

let world: LoginWorld
let account: AccountId

beforeEach(async () => {
  world = await LoginWorld.open('2026-11-23T07:00:00+05:30')
  account = await world.loginAccount()
})
afterEach(() => world.close())

async function runsAt(times: readonly string[], broker: Broker = loginbroker): Promise<readonly string[]> {
  for (const time of times) {
    world.clock.set(`2026-11-${time}:00+05:30`)
    await world.run(broker)
  }
  return world.alerts.map(({ title }) => title)
}

describe('the message', () => {
  test('says in its title what to do, where, for whom and by when on the clocks of the market', async () => {
    await world.change(account, { settings: { nickname: 'Bina' } })
    await world.run(loginbroker)
    const [alert] = world.alerts
    expect(alert?.title).toBe('Log in: Loginbroker Bina before Mon 23 Nov 09:15 IST')
    expect(String(alert?.deadline)).toBe('2026-11-23T09:15:00+05:30[Asia/Kolkata]')
    expect(alert?.action).toBe('log in at Loginbroker: tokenkeeper login loginbroker')
  })

  test('carries the one link to the login page, for its account and incident', async () => {
    world.ports = {
      ...world.ports,
      links: { forIncident: async (id, incident) => `https://site.example.invalid/${id}/${incident}` },
    }
    await world.run(loginbroker)
    const incident = (await world.record(account)).incident?.id
    expect(world.alerts[0]?.link).toBe(`https://site.example.invalid/${account}/${incident}`)
  })

  test('is sent without a link when none can be made', async () => {
    const broken = async (): Promise<never> => {
      throw new TokenVaultError('SSM is away', { during: 'read' })
    }
    world.ports = { ...world.ports, links: { forIncident: broken } }
    await world.run(loginbroker)
    expect(world.alerts).toHaveLength(1)
    expect(world.alerts[0]).not.toHaveProperty('link')
  })

  test('names no deadline while the market is open: it is late already', async () => {
    await runsAt(['23T10:00'])
    expect(world.alerts[0]?.title).toBe('Log in: Loginbroker loginbroker')
  })

  test('that it is over says until when the token lives', async () => {
    await world.run(loginbroker)
    await world.logIn(account)
    expect(world.alerts.at(-1)).toMatchObject({ kind: 'solved', title: 'Solved: Loginbroker loginbroker' })
    expect(world.alerts.at(-1)?.reason).toContain('valid until Mon 23 Nov 19:00 IST')
  })
})

describe('an incident that stays open is told again', () => {
  const ALL_MORNING = [
    '06:30',
    '07:00',
    '07:30',
    '08:00',
    '08:15',
    '08:30',
    '08:45',
    '09:00',
    '09:15',
    '09:30',
  ]

  test('an hour and half an hour before the open, and at no other run', async () => {
    const titles = await runsAt(ALL_MORNING.map((time) => `23T${time}`))
    const title = 'Log in: Loginbroker loginbroker before Mon 23 Nov 09:15 IST'
    expect(titles).toEqual([title, `Still open: ${title}`, `Still open: ${title}`])
  })

  test('once for the steps that were missed while nothing ran', async () => {
    expect(await runsAt(['23T06:30', '23T09:05', '23T09:10'])).toHaveLength(2)
  })

  test('on the next trading day too, and never on a weekend', async () => {
    await runsAt(['27T07:00', '27T08:20', '27T08:50'])
    expect(world.alerts).toHaveLength(3)
    await runsAt(['28T08:20', '28T08:50', '29T08:50'])
    expect(world.alerts).toHaveLength(3)
    await runsAt(['30T08:20', '30T08:50'])
    expect(world.alerts).toHaveLength(5)
  })

  test('at the times the owner configured', async () => {
    const early = configured(loginbroker, { pacingSeconds: 0, remindMinutesBeforeOpen: [120] })
    expect(await runsAt(['23T06:30', '23T07:15', '23T08:15', '23T08:45'], early)).toHaveLength(2)
    const silent = configured(loginbroker, { pacingSeconds: 0, remindMinutesBeforeOpen: [] })
    expect(await runsAt(['24T08:15', '24T08:45'], silent)).toHaveLength(2)
  })

  test('under the same incident, and not to somebody for whom it is solved', async () => {
    await runsAt(['23T06:30', '23T08:15'])
    expect(new Set(world.alerts.map(({ incident }) => incident)).size).toBe(1)
    await world.logIn(account)
    await runsAt(['23T08:45'])
    expect(world.alerts.map(({ kind }) => kind)).toEqual(['login_needed', 'login_needed', 'solved'])
  })
})

describe('an open incident is not over', () => {
  beforeEach(async () => {
    await world.run(loginbroker)
    await world.store(account, { refresh_token: world.simulator.login('SIM001') })
    world.clock.advance({ minutes: 15 })
  })

  const unreachable = new HttpError('ECONNREFUSED', { sent: false })
  const lost = new HttpError('TIMEOUT', { sent: true })

  test.each([
    ['a fault that passes by itself', unreachable, 'failed'],
    ['a reply that was lost', lost, 'ambiguous'],
  ])('because of %s: nobody is told so, and it stays on record', async (_, fault, outcome) => {
    const before = (await world.record(account)).incident
    world.failNext('http.send', { times: 'all', error: fault })
    const { report } = await world.run(loginbroker, { seconds: 60 })
    expect(report.results).toMatchObject([{ outcome }])
    expect(world.alerts.map(({ kind }) => kind)).toEqual(['login_needed'])
    expect((await world.record(account)).incident).toEqual(before)
  })
})
