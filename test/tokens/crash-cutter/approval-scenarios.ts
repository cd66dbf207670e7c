import { acceptApproval, requestApproval } from '../../../lib/tokens/login/approval.ts'
import { ASKED, type Before, tolerant, WITH_TOKEN } from './before.ts'
import type { CutWorld } from './cut-world.ts'
import { askingCutbroker } from './one-session-broker.ts'
import type { Meanwhile, Scenario } from './scenario.ts'

/** What a request may wait for its turn, and then holds the account; and the same for what is posted. */
const REQUEST_SECONDS = 66
const WEBHOOK_SECONDS = 90
/** After the page has stopped waiting, and a renewal was due. */
const LATE_MINUTES = 40

/** The account holder approves what they were asked for, once so many minutes are over. */
function approves(world: CutWorld, minutes: number): Meanwhile {
  const from = world.clock.now().add({ minutes })
  const { account, broker, simulator } = world
  return tolerant(async () => {
    if (!simulator.isAskedToApprove || world.clock.now().until(from).sign > 0) return
    await acceptApproval({ account, body: simulator.approve() }, broker, world.ports(WEBHOOK_SECONDS))
  })
}

function request(
  before: Before,
  { title, minutes, isVariant = true }: { title: string; minutes?: number; isVariant?: boolean },
): Scenario {
  return {
    title: `a request for approval ${before.title}, ${title}`,
    mints: '/approval',
    seconds: REQUEST_SECONDS,
    isVariant,
    async prepare(world) {
      await before.prepare(world)
      return {
        work: (ports) => requestApproval(world.account, world.broker, ports),
        ...(minutes !== undefined && { meanwhile: approves(world, minutes) }),
      }
    },
  }
}

/** Somebody was asked for an approval already, and can still give it. */
function askedBefore(before: Before): Before {
  return {
    title: `${before.title} and a request is open`,
    async prepare(world) {
      await before.prepare(world)
      await requestApproval(world.account, world.broker, world.ports(REQUEST_SECONDS))
      world.clock.advance({ minutes: 12 })
    },
  }
}

function arrival(before: Before): Scenario {
  return {
    title: `an approval that arrives ${before.title}`,
    mints: '/me',
    seconds: WEBHOOK_SECONDS,
    isVariant: true,
    async prepare(world) {
      await before.prepare(world)
      const { account, broker, simulator } = world
      await requestApproval(account, broker, world.ports(REQUEST_SECONDS))
      world.clock.advance({ minutes: 2 })
      const body = simulator.approve()
      return { work: (ports) => acceptApproval({ account, body }, broker, ports) }
    },
  }
}

function runThatAsks(title: string, overnight: boolean, minutes: number): Scenario {
  return {
    title: `a run that asks for approval by itself ${title}`,
    broker: askingCutbroker,
    mints: '/approval',
    isVariant: overnight,
    async prepare(world) {
      await WITH_TOKEN.prepare(world)
      world.simulator.revokeRefreshTokens()
      world.clock.advance(overnight ? { hours: 24 } : { minutes: 30 })
      return { work: (_, process) => world.run({ process }), meanwhile: approves(world, minutes) }
    },
  }
}

export const APPROVALS: readonly Scenario[] = [
  request(WITH_TOKEN, { title: 'given at once', minutes: 0 }),
  request(WITH_TOKEN, { title: 'given late', minutes: LATE_MINUTES, isVariant: false }),
  request(WITH_TOKEN, { title: 'never given' }),
  request(ASKED, { title: 'given at once', minutes: 0 }),
  request(ASKED, { title: 'given late', minutes: LATE_MINUTES }),
  request(ASKED, { title: 'never given' }),
  request(askedBefore(WITH_TOKEN), { title: 'both given late', minutes: LATE_MINUTES }),
  request(askedBefore(ASKED), { title: 'both given at once', minutes: 0 }),
  request(askedBefore(ASKED), { title: 'never given' }),
  arrival(WITH_TOKEN),
  arrival(ASKED),
  runThatAsks('while the old token lives', false, LATE_MINUTES),
  runThatAsks('in the morning', true, 0),
]
