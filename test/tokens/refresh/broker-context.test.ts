import fc from 'fast-check'
import { TOTP } from 'otpauth'
import { Temporal } from 'temporal-polyfill'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { iifl } from '../../../lib/brokers/iifl/iifl.ts'
import { parseAccountId } from '../../../lib/model/account-id.ts'
import { Secret } from '../../../lib/model/secrets/secret.ts'
import { HttpError, type HttpRequest } from '../../../lib/ports/http.ts'
import { totpStepOf } from '../../../lib/tokens/rules/grants/totp-step.ts'
import { brokerContext, type RunContext } from '../../../lib/tokens/transaction/broker-context.ts'
import { World } from '../../support/world.ts'

const SECRET = 'JBSWY3DPEHPK3PXP'
const STEP_MS = 30_000
/** The beginning of a step. */
const START = Temporal.Instant.from('2026-11-23T03:00:00+05:30')

/** A broker's clock, which its Date header and its one-time codes follow, and a machine of ours whose clock is another. */
class TwoClocks {
  readonly world: World
  readonly context: RunContext
  readonly requests: HttpRequest[] = []
  /** Milliseconds a request and its reply take, each. */
  travelMs = 0
  hasDate = true
  /** Milliseconds ours is ahead of the broker's. */
  #aheadMs: number

  constructor(aheadMs: number, options: { intoStepMs?: number; totpStep?: number; lifeMs?: number } = {}) {
    const { intoStepMs = 0, totpStep, lifeMs = 600_000 } = options
    this.#aheadMs = aheadMs
    this.world = new World(START.add({ milliseconds: intoStepMs + aheadMs }).toString())
    const { clock } = this.world
    const send = async (request: HttpRequest) => {
      this.requests.push(request)
      clock.advance({ milliseconds: this.travelMs })
      const date = new Date(Math.floor(this.brokersMs / 1000) * 1000).toUTCString()
      clock.advance({ milliseconds: this.travelMs })
      return { status: 200, headers: this.hasDate ? { date } : {}, body: '' }
    }
    this.context = brokerContext(
      {
        broker: iifl,
        account: parseAccountId('iifl'),
        settings: {},
        stored: new Map(),
        deadline: clock.now().add({ milliseconds: lifeMs }),
        totpStep,
      },
      { ...this.world.ports, http: { send } },
    )
  }

  get brokersMs(): number {
    return this.world.clock.now().epochMilliseconds - this.#aheadMs
  }

  /** Sets our clock, and ours only. */
  setAhead(aheadMs: number): void {
    this.world.clock.advance({ milliseconds: aheadMs - this.#aheadMs })
    this.#aheadMs = aheadMs
  }

  async call(pauseMs = 0): Promise<void> {
    await this.context.send({ method: 'GET', url: 'https://broker.invalid/' })
    this.world.clock.advance({ milliseconds: pauseMs })
  }

  /** A code, the broker's step as it is made, and how far into that step. */
  async code(): Promise<{ readonly isOfPresentStep: boolean; readonly intoStepMs: number }> {
    const code = await this.context.totp(new Secret(SECRET))
    const intoStepMs = this.brokersMs % STEP_MS
    const present = new TOTP({ secret: SECRET }).generate({ timestamp: this.brokersMs })
    return { isOfPresentStep: code === present, intoStepMs }
  }
}

let clocks: TwoClocks | undefined
const opened = (...args: ConstructorParameters<typeof TwoClocks>): TwoClocks => {
  clocks = new TwoClocks(...args)
  return clocks
}
afterEach(async () => {
  await clocks?.world.close()
  clocks = undefined
})

describe('the broker’s clock', () => {
  test.each([-90_000, -1_200, -300, 0, 300, 1_200, 90_000])(
    'is known to half a second after one reply, ours being %i ms ahead',
    async (aheadMs) => {
      const { context } = opened(aheadMs, { intoStepMs: 400 })
      expect(context.brokerDriftMs()).toBeUndefined()
      await clocks?.call()
      expect(Math.abs((context.brokerDriftMs() ?? 99_999) + aheadMs)).toBeLessThanOrEqual(500)
    },
  )

  test('is known better with each reply that comes at another moment of a second', async () => {
    const two = opened(-2_340)
    for (let call = 0; call < 10; call++) await two.call(1_100)
    expect(Math.abs((two.context.brokerDriftMs() ?? 0) - 2_340)).toBeLessThanOrEqual(50)
  })

  test('is learnt anew after ours was set in the middle of a run', async () => {
    const two = opened(600_000)
    await two.call(300)
    two.setAhead(0)
    await two.call()
    expect(Math.abs(two.context.brokerDriftMs() ?? 99_999)).toBeLessThanOrEqual(500)
  })

  test('is not learnt from a reply during which ours was set back', async () => {
    const two = opened(600_000)
    await two.call(300)
    const before = two.context.brokerDriftMs()
    two.travelMs = -1
    await two.call()
    expect(two.context.brokerDriftMs()).toBe(before)
  })

  test.each([undefined, 'yesterday', ''])('is not told by the Date header %j', async (date) => {
    const two = opened(0)
    const context = brokerContext(
      {
        broker: iifl,
        account: parseAccountId('iifl'),
        settings: {},
        stored: new Map(),
        deadline: START.add({ seconds: 60 }),
        totpStep: undefined,
      },
      {
        ...two.world.ports,
        http: { send: async () => ({ status: 200, headers: date === undefined ? {} : { date }, body: '' }) },
      },
    )
    await context.send({ method: 'GET', url: 'https://broker.invalid/' })
    expect(context.brokerDriftMs()).toBeUndefined()
  })

  test('of a reply that took 20 s is taken for known to five seconds, so that a code can be made at all', async () => {
    const two = opened(-90_000)
    two.travelMs = 10_000
    await two.call()
    expect(await two.code()).toMatchObject({ isOfPresentStep: true })
  })

  test.each([
    [5_000, 0, undefined],
    [5_001, 5, -5],
    [-6_000, 6, 6],
    [600_000, 600, -600],
  ])(
    'is a finding from five seconds on: ours %i ms ahead counts %i s, and the log says %s',
    async (aheadMs, counted, seconds) => {
      // At half a second the reading is right to the millisecond.
      const two = opened(aheadMs, { intoStepMs: 500 })
      await two.call()
      expect(two.world.counts.get('iifl ClockDriftSeconds') ?? 0).toBe(counted)
      expect(two.world.logs[0]?.fields['seconds']).toBe(seconds)
    },
  )
})

describe('a one-time code', () => {
  test('is never refused for its time by a broker that takes the present step only, once its clock is known', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: -3_000, max: 3_000 }),
        fc.integer({ min: 0, max: STEP_MS - 1 }),
        fc.integer({ min: 0, max: 400 }),
        fc.array(fc.integer({ min: 0, max: 2_500 }), { minLength: 1, maxLength: 6 }),
        async (aheadMs, intoStepMs, travelMs, pauses) => {
          const two = new TwoClocks(aheadMs, { intoStepMs })
          two.travelMs = travelMs
          for (const pause of pauses) await two.call(pause)
          const first = await two.code()
          const second = await two.code()
          await two.world.close()
          for (const { isOfPresentStep, intoStepMs: into } of [first, second]) {
            expect(isOfPresentStep).toBe(true)
            expect(STEP_MS - into).toBeGreaterThanOrEqual(8_000)
          }
        },
      ),
      { numRuns: 400 },
    )
  })

  test.each([-90_000, 90_000])('follows a clock that is minutes off (%i ms)', async (aheadMs) => {
    const two = opened(aheadMs, { intoStepMs: 12_000 })
    await two.call()
    expect(await two.code()).toMatchObject({ isOfPresentStep: true, intoStepMs: 12_000 })
  })

  test.each([-1_900, -1_200, -300, 0, 300, 1_200, 1_900])(
    'has a margin on both sides of its step where nobody knows the broker’s clock: ours %i ms ahead',
    async (aheadMs) => {
      for (let intoStepMs = 0; intoStepMs < STEP_MS; intoStepMs += 250) {
        const two = new TwoClocks(aheadMs, { intoStepMs })
        const code = await two.code()
        await two.world.close()
        expect(code.isOfPresentStep).toBe(true)
        expect(STEP_MS - code.intoStepMs).toBeGreaterThanOrEqual(8_000)
      }
    },
  )

  test('is not made in the first half second of a step, however well the clock is known', async () => {
    const two = opened(0)
    // At the beginning and at the end of a second: together they leave a millisecond.
    await two.call(999)
    await two.call(29_000)
    expect(await two.code()).toMatchObject({ isOfPresentStep: true, intoStepMs: 500 })
  })

  test('is made late enough where a reply of 20 s has told little of the broker’s clock', async () => {
    const two = opened(0, { intoStepMs: 12_000 })
    two.travelMs = 10_000
    await two.call()
    expect(await two.code()).toMatchObject({ isOfPresentStep: true, intoStepMs: 4_500 })
  })

  test.each([
    [21_999, 21_999],
    [22_000, 22_000],
    [22_001, 500],
  ])('begun %i ms ago is made with eight seconds left and no less: at %i ms', async (into, madeAt) => {
    // Half a second is the least that is never known of the broker's clock.
    const two = opened(0, { intoStepMs: 500 })
    await two.call()
    two.world.clock.advance({ milliseconds: into - 500 - 500 })
    expect((await two.code()).intoStepMs).toBe(madeAt === 500 ? 500 : madeAt - 500)
  })

  const STEP = totpStepOf(START)

  test.each([
    ['the present step', STEP, 1],
    ['the next step', STEP + 1, 2],
    ['four steps ahead, as far as clocks differ', STEP + 4, 5],
    ['five steps ahead, by a clock that was ahead', STEP + 5, 0],
    ['the step before', STEP - 1, 0],
  ])(
    'after %s was used waits for a step of its own, as long as that makes sense',
    async (_, totpStep, waits) => {
      const two = opened(0, { intoStepMs: 10_000, totpStep })
      await two.code()
      expect(totpStepOf(two.world.clock.now()) - STEP).toBe(waits)
      expect(two.context.usedTotpStep()).toBe(STEP + waits)
    },
  )

  test('is not waited for past the deadline', async () => {
    const inTime = new TwoClocks(0, { intoStepMs: 25_000, lifeMs: 7_001 })
    expect(await inTime.code()).toMatchObject({ isOfPresentStep: true })
    await inTime.world.close()
    const late = opened(0, { intoStepMs: 25_000, lifeMs: 7_000 })
    await expect(late.code()).rejects.toMatchObject({ code: 'broker_unavailable', sent: false })
  })
})

test('a host is the owner’s where one was named, else the broker’s; an unknown one is a bug', () => {
  const { context } = opened(0)
  expect(context.host('IIFL_API')).toBe(iifl.hosts.IIFL_API)
  expect(() => context.host('NOBODY')).toThrow('broker iifl has no host NOBODY')
})

describe('a request', () => {
  let two: TwoClocks
  beforeEach(() => {
    two = opened(0, { lifeMs: 20_000 })
  })

  const request = { method: 'GET', url: 'https://broker.invalid/' } as const

  test('is given up after 15 s, sooner where that was asked for, and never past the deadline', async () => {
    await two.context.send(request)
    await two.context.send({ ...request, timeoutMs: 700 })
    two.world.clock.advance({ seconds: 18 })
    await two.context.send(request)
    two.world.clock.advance({ milliseconds: 1_999 })
    await two.context.send(request)
    expect(two.requests.map(({ timeoutMs }) => timeoutMs)).toEqual([15_000, 700, 2_000, 1])
  })

  test('is not sent once the deadline has come', async () => {
    two.world.clock.advance({ seconds: 20 })
    const error = await two.context.send(request).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(HttpError)
    expect(error).toMatchObject({ sent: false, reason: 'DEADLINE' })
    expect(two.requests).toHaveLength(0)
  })
})
