import { Temporal } from 'temporal-polyfill'
import { describe, expect, test } from 'vitest'
import { LocalService } from '../../lib/local/local-service.ts'
import { Scheduler } from '../../lib/local/scheduler.ts'
import { parseSchedule } from '../../lib/markets/schedule.ts'
import { DemoClock } from '../../lib/simulators/demo/demo-clock.ts'
import { demoStart } from '../../lib/simulators/demo/demo-story.ts'
import { HTML_502 } from '../../lib/simulators/kit/simulator.ts'
import { VirtualClock } from '../../lib/simulators/kit/virtual-clock.ts'
import { holdNext } from '../support/held-request.ts'
import { LoginWorld } from '../support/login-world.ts'

const ZONE = 'Asia/Kolkata'

function scheduler(clock: VirtualClock, expression: string) {
  const runs: string[] = []
  let finish = (): void => undefined
  const job = {
    name: 'iifl',
    schedules: [parseSchedule(expression, ZONE)],
    run: () =>
      new Promise<void>((resolve) => {
        runs.push(clock.now().toString({ timeZone: ZONE }))
        finish = resolve
      }),
  }
  return { runs, scheduler: new Scheduler([job], clock), finish: () => finish() }
}

describe('the local scheduler', () => {
  test('starts a run at its time and not before', () => {
    const clock = new VirtualClock('2026-11-23T02:59:59+05:30')
    const { runs, scheduler: one } = scheduler(clock, 'cron(0 3 * * ? *)')
    one.tick()
    expect(runs).toEqual([])
    clock.advance({ seconds: 1 })
    one.tick()
    one.tick()
    expect(runs).toEqual(['2026-11-23T03:00:00+05:30'])
  })

  test('a laptop that slept for days makes up for it with one run', async () => {
    const clock = new VirtualClock('2026-11-20T12:00:00+05:30')
    const { runs, scheduler: one, finish } = scheduler(clock, 'cron(0 3 * * ? *)')
    clock.set('2026-11-23T09:00:00+05:30')
    one.tick()
    finish()
    await one.idle()
    one.tick()
    expect(runs).toHaveLength(1)
    expect(one.next()?.at.toString({ timeZone: ZONE })).toBe('2026-11-24T03:00:00+05:30')
  })

  test.each([
    ['cron(0 3 * * ? *)', 'an hour', '2026-11-23T10:00:00+05:30'],
    ['cron(0 3 * * ? *)', 'a year', '2027-11-23T09:00:00+05:30'],
    ['rate(6 hours)', 'a day', '2026-11-24T09:00:00+05:30'],
    ['rate(6 hours)', 'a year', '2027-11-23T09:00:00+05:30'],
  ])(
    '%s: a clock that was %s ahead is set right, and a run starts at the next tick',
    async (expression, _, ahead) => {
      const clock = new VirtualClock(ahead)
      const { runs, scheduler: one, finish } = scheduler(clock, expression)
      one.tick()
      clock.set('2026-11-23T09:00:00+05:30')
      one.tick()
      expect(runs).toEqual(['2026-11-23T09:00:00+05:30'])
      finish()
      await one.idle()
      one.tick()
      expect(runs).toHaveLength(1)
      const next = one.next()?.at.toString({ timeZone: ZONE })
      expect(next).toBe(
        expression.startsWith('rate') ? '2026-11-23T15:00:00+05:30' : '2026-11-24T03:00:00+05:30',
      )
    },
  )

  test('a clock that went ahead between two ticks and was set right starts no end of runs', async () => {
    const clock = new VirtualClock('2026-11-23T09:00:00+05:30')
    const { runs, scheduler: one, finish } = scheduler(clock, 'cron(0 3 * * ? *)')
    for (const now of [
      '2027-11-23T09:00:00+05:30',
      '2026-11-23T09:00:01+05:30',
      '2026-11-23T09:00:02+05:30',
    ]) {
      clock.set(now)
      one.tick()
      finish()
      await one.idle()
    }
    // One for those that seemed to be missed, one since it was set right.
    expect(runs).toHaveLength(2)
  })

  test('a clock that is trued up by less than a minute, again and again, neither starts a run nor puts one off', () => {
    const clock = new VirtualClock('2026-11-23T02:58:00+05:30')
    const { runs, scheduler: one } = scheduler(clock, 'cron(0 3 * * ? *)')
    clock.advance({ seconds: -60 })
    one.tick()
    expect(runs).toEqual([])
    clock.advance({ seconds: -1 })
    one.tick()
    expect(runs).toHaveLength(1)
  })

  test('a clock that is trued up by a second starts nothing', () => {
    const clock = new VirtualClock('2026-11-23T02:59:00+05:30')
    const { runs, scheduler: one } = scheduler(clock, 'cron(0 3 * * ? *)')
    for (let i = 0; i < 30; i++) {
      clock.advance({ seconds: i % 2 === 0 ? 1 : -1 })
      one.tick()
    }
    expect(runs).toEqual([])
    clock.set('2026-11-23T03:00:00+05:30')
    one.tick()
    expect(runs).toHaveLength(1)
  })

  test('a run under way when the clock is set right is joined by none, and followed by one', async () => {
    const clock = new VirtualClock('2027-11-23T02:59:00+05:30')
    const { runs, scheduler: one, finish } = scheduler(clock, 'cron(0 3 * * ? *)')
    clock.advance({ minutes: 1 })
    one.tick()
    clock.set('2026-11-23T09:00:00+05:30')
    one.tick()
    expect(runs).toHaveLength(1)
    finish()
    await one.idle()
    one.tick()
    expect(runs).toHaveLength(2)
  })

  test('a run that takes longer than the pause is not joined by a second one', async () => {
    const clock = new VirtualClock('2026-11-23T09:00:00+05:30')
    const { runs, scheduler: one, finish } = scheduler(clock, 'rate(1 minute)')
    for (let minute = 0; minute < 5; minute++) {
      clock.advance({ minutes: 1 })
      one.tick()
    }
    expect(runs).toHaveLength(1)
    finish()
    await one.idle()
    one.tick()
    expect(runs).toHaveLength(2)
  })
})

describe('the clock of the simulated world', () => {
  test('runs fast, but at the real pace while a run is under way', async () => {
    const real = new VirtualClock('2026-11-21T10:00:00Z')
    const clock = new DemoClock(Temporal.Instant.from('2026-11-23T02:55:00+05:30'), 300, real)
    real.advance({ seconds: 2 })
    expect(clock.now().toString({ timeZone: ZONE })).toBe('2026-11-23T03:05:00+05:30')
    await clock.during(async () => real.advance({ seconds: 30 }))
    expect(clock.now().toString({ timeZone: ZONE })).toBe('2026-11-23T03:05:30+05:30')
    real.advance({ seconds: 1 })
    expect(clock.now().toString({ timeZone: ZONE })).toBe('2026-11-23T03:10:30+05:30')
  })

  test('is held at the real pace for a person, as long as the last call said, and goes on from there', () => {
    const real = new VirtualClock('2026-11-21T10:00:00Z')
    const clock = new DemoClock(Temporal.Instant.from('2026-11-23T06:05:00+05:30'), 300, real)
    clock.hold(120)
    clock.hold(10)
    expect(clock.held).toBe(true)
    real.advance({ seconds: 8 })
    expect(clock.now().toString({ timeZone: ZONE })).toBe('2026-11-23T06:05:08+05:30')
    real.advance({ seconds: 3 })
    expect(clock.held).toBe(false)
    expect(clock.now().toString({ timeZone: ZONE })).toBe('2026-11-23T06:10:10+05:30')
  })

  test('skips the time of a sleep and never goes back', async () => {
    const real = new VirtualClock('2026-11-21T10:00:00Z')
    const clock = new DemoClock(Temporal.Instant.from('2026-11-23T02:55:00Z'), 300, real)
    await clock.during(() => clock.sleep(60_000))
    expect(clock.now().epochMilliseconds).toBeGreaterThanOrEqual(Date.parse('2026-11-23T02:56:00Z'))
    expect(real.now().epochMilliseconds).toBeLessThan(Date.parse('2026-11-21T10:00:01Z'))
  })

  test.each([
    ['2026-11-21T12:00:00Z', '2026-11-23T05:55:00+05:30'],
    ['2026-11-25T12:00:00Z', '2026-11-25T05:55:00+05:30'],
    ['2026-11-20T20:00:00Z', '2026-11-23T05:55:00+05:30'],
  ])('on %s it starts at %s, a weekday in India', (today, start) => {
    expect(demoStart(Temporal.Instant.from(today)).toString({ timeZone: ZONE })).toBe(start)
  })
})

describe('the local service', () => {
  test('proves a token that a login had to leave unproven within half a minute', async () => {
    const world = new LoginWorld()
    const server = await world.serve(world.simulator)
    const account = await world.loginAccount()
    for (let i = 0; i < 5; i++) server.failNext('/me', HTML_502)
    expect(await world.logIn(account)).toMatchObject({ kept: true })
    const finished = Promise.withResolvers<void>()
    const service = new LocalService({
      brokers: [{ broker: world.broker, schedules: [] }],
      ports: world.ports,
      onEvent: ({ event }) => event === 'run_finished' && finished.resolve(),
    })
    await service.lookAgain(world.broker.id)
    service.tick()
    await finished.promise
    await service.stop()
    expect(await world.record(account)).toMatchObject({ generation: 1, accessToken: { source: 'login' } })
    await world.close()
  })

  test('a scheduled run that comes while a kept token is being proven is done when that has ended', async () => {
    const world = new LoginWorld()
    const server = await world.serve(world.simulator)
    const kept = await world.loginAccount('loginbroker/A')
    const other = await world.loginAccount('loginbroker/B')
    await world.logIn(other)
    world.clock.advance({ minutes: 5 })
    for (let i = 0; i < 5; i++) server.failNext('/me', HTML_502)
    expect(await world.logIn(kept)).toMatchObject({ kept: true })
    const reports: string[][] = []
    const due = world.clock.now().add({ seconds: 30 })
    const service = new LocalService({
      brokers: [
        { broker: world.broker, schedules: [{ expression: 'once', next: () => due.epochMilliseconds }] },
      ],
      ports: world.ports,
      onEvent: (event) => {
        if (event.event === 'run_finished') reports.push(event.report.results.map(({ account }) => account))
      },
    })
    await service.lookAgain(world.broker.id)
    const proof = holdNext(server, '/me')
    service.tick()
    await proof.arrived
    world.clock.advance({ seconds: 30 })
    service.tick()
    proof.release()
    await service.scheduler.idle()
    await service.stop()
    expect(reports).toEqual([[kept], [kept, other]])
    await world.close()
  })
})
