import { Temporal } from 'temporal-polyfill'
import { finishLogin } from '../../../lib/tokens/login/finish.ts'
import { startLogin } from '../../../lib/tokens/login/start.ts'
import { dueAt } from '../../../lib/tokens/rules/token/due.ts'
import type { CutWorld } from './cut-world.ts'
import type { Process } from './process.ts'
import type { Meanwhile } from './scenario.ts'

const SCHEDULE_MINUTES = 15
/** Runs until nothing changes any more: more would be a loop. */
const MOST_PASSES = 12

/** Time passes in a world that works: runs at once and on schedule, a person who does what they were told, the next renewal. */
export async function recover(world: CutWorld, meanwhile: Meanwhile, dead: Process): Promise<void> {
  const { ledger, clock } = world
  const repeats = await mayRepeat(world, dead)
  await world.moment('after the cut')
  await world.run()
  await world.moment('after a run at once')
  await meanwhile()
  await world.moment('after what people did at once')
  clock.advance({ minutes: SCHEDULE_MINUTES })
  await world.moment('when the lease is over')
  await rest(world, meanwhile)
  await checkRest(world)
  ledger.checkMessages(repeats)

  if (ledger.isOpen) {
    await solve(world)
    await rest(world, meanwhile)
    await checkRest(world)
    if (ledger.isOpen) ledger.violated('I5', 'nobody was told that it is over')
    ledger.checkMessages(repeats)
  }

  const { accessToken, settings } = await world.record()
  if (accessToken) {
    const due = dueAt(accessToken, world.broker.session, settings)
    if (Temporal.Instant.compare(due, clock.now()) > 0) clock.set(due.toString())
    await world.moment('when a renewal is due')
    await rest(world, meanwhile)
  }
  await ledger.checkRefreshTokens()
  ledger.checkTotals()
}

/** Messages a crash between telling and recording may repeat. */
async function mayRepeat(world: CutWorld, dead: Process): Promise<number> {
  if (!world.ledger.toldBy(dead)) return 0
  const { incident } = await world.record()
  const isOver = world.ledger.alerts.at(-1)?.kind === 'solved'
  const isRecorded = isOver ? incident === undefined : incident?.toldAt !== undefined
  return isRecorded ? 0 : 1
}

/** Scheduled runs, the first two of them at the same time, until they change nothing any more. */
async function rest(world: CutWorld, meanwhile: Meanwhile): Promise<void> {
  let before = ''
  for (let pass = 0; pass < MOST_PASSES; pass++) {
    await meanwhile()
    await world.moment(`after what people did before ${pass + 1} scheduled runs`)
    await Promise.all(pass === 0 ? [world.run(), world.run()] : [world.run()])
    await world.moment(`after ${pass + 1} scheduled runs`)
    const now = await present(world)
    if (now === before) return
    before = now
    world.clock.advance({ minutes: SCHEDULE_MINUTES })
  }
  world.ledger.violated('I8', `it does not come to rest in ${MOST_PASSES} runs`)
}

/** All that people and programs see of it; what is only counted or dated may go on changing. */
async function present(world: CutWorld): Promise<string> {
  const { generation, last, incident, doubt, pending, blocks, ambiguous } = await world.record()
  const { outcome, reason } = last ?? {}
  const open = {
    incident: incident?.id,
    doubt,
    pending,
    blocks: Object.keys(blocks),
    ambiguous: ambiguous?.grant,
  }
  return JSON.stringify({ generation, outcome, reason, ...open, told: world.ledger.alerts.length })
}

/** At rest the token is live and said to be, or somebody knows that it is not. */
async function checkRest(world: CutWorld): Promise<void> {
  const { ledger } = world
  const [isLive, saysLive, { incident, doubt }] = [
    await world.isLive(),
    await world.statusSaysLive(),
    await world.record(),
  ]
  // As long as the broker may still act on a request nothing settles the doubt.
  const mayEnd = doubt?.openUntil && Temporal.Instant.compare(doubt.openUntil, world.clock.now()) > 0
  if (isLive && !saysLive && !mayEnd) ledger.violated('I9', 'the token lives, and status never says so again')
  if (!isLive && !ledger.isOpen) ledger.violated('I5', 'the token is dead, and nobody was told')
  await ledger.checkKept()
  if (ledger.isOpen && !incident?.toldAt) ledger.violated('I5', 'the incident is forgotten')
  if (!ledger.isOpen && incident) ledger.violated('I5', 'the incident is never closed')
}

/** What whoever was told does: stores the right password, or logs in. */
async function solve(world: CutWorld): Promise<void> {
  const { simulator, ledger, broker, account } = world
  if (ledger.alerts.at(-1)?.kind === 'human_action') return world.store({ password: simulator.password })
  simulator.namesUser = true
  simulator.givesRefreshToken = true
  const browser = 'sha256-of-a-cookie'
  const order = { account, browser, callbackUrl: 'https://site.invalid/callback' }
  const { authorizationUrl } = await startLogin(order, broker, world.ports())
  const state = new URL(authorizationUrl).searchParams.get('state') ?? ''
  const query = new URLSearchParams({ state, code: simulator.newCode() }).toString()
  await finishLogin({ by: 'redirect', broker: broker.id, query, browser }, broker, world.ports())
  await world.moment('after the login that was asked for')
  if (!(await world.isLive())) ledger.violated('I5', 'the login that was asked for did not help')
}
