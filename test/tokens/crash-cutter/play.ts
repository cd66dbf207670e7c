import { TokenkeeperError } from '../../../lib/model/errors.ts'
import { forgetSecrets } from '../../../lib/model/secrets/secret.ts'
import { RequestRefusedError } from '../../../lib/tokens/rules/outcome/request-refused.ts'
import { CutWorld, RUN_SECONDS } from './cut-world.ts'
import type { Fault } from './one-session-simulator.ts'
import { type Cut, Process } from './process.ts'
import { recover } from './recover.ts'
import type { Scenario } from './scenario.ts'
import type { Outage } from './watched-account.ts'

/** What goes wrong beside the crash, for as long as the act lasts. */
export interface Trouble {
  readonly title: string
  /** Met by every scenario. */
  readonly isMain?: boolean
  /** What the broker does with the requests of the act to `path`. @default - the scenario's own minting request */
  readonly faults?: { readonly path?: string; readonly of: readonly Fault[] }
  readonly outage?: { readonly of: Outage; readonly writes: number }
}

interface Played {
  readonly process: Process
  readonly violations: readonly string[]
}

/**
 * One story: the world before, the act with its crash, and what becomes of it in a world that works again. `known` holds
 * after how many happenings a crash was played to the end already: another one there leaves the same world.
 */
async function play(scenario: Scenario, trouble: Trouble, known: Set<number>, cut?: Cut): Promise<Played> {
  // No world knows the secrets of another.
  forgetSecrets()
  const world = new CutWorld(scenario.broker)
  if (scenario.sabotage) world.sabotage = scenario.sabotage
  const act = await scenario.prepare(world)
  const { faults, outage } = trouble
  world.simulator.failNext(faults?.path ?? scenario.mints, ...(faults?.of ?? []))
  world.outage = outage && { of: outage.of, left: outage.writes }

  const process = new Process(cut)
  const seconds = scenario.seconds ?? RUN_SECONDS
  const ports = world.portsOf(process, world.clock.now().add({ seconds }))
  const end = act.work(ports, process).catch((error: unknown) => {
    if (error instanceof TokenkeeperError || error instanceof RequestRefusedError) return
    throw error
  })
  await Promise.race([end, process.died])
  if (cut && process.isAlive) throw new Error(`it came to no call ${cut.call}`)

  if (cut && known.has(world.happenings)) return { process, violations: [] }
  if (cut) known.add(world.happenings)
  world.simulator.mend()
  if (world.outage) world.outage.left = 0
  await recover(world, act.meanwhile ?? nothing, process)
  return { process, violations: world.ledger.violations }
}

export interface Harvest {
  /** How often the act was killed. */
  readonly cuts: number
  /** The different worlds that were left behind. */
  readonly worlds: number
  readonly violations: readonly string[]
}

const nothing = async (): Promise<void> => undefined

/** The jitter of repeats is none here: the same story has the same calls. */
const NO_JITTER = (): number => 0

/** Plays the story once to the end and then once for each call of its act, cut before and after it. */
export async function cutEverywhere(scenario: Scenario, trouble: Trouble): Promise<Harvest> {
  const { random } = Math
  Math.random = NO_JITTER
  try {
    return await cutAt(scenario, trouble)
  } finally {
    Math.random = random
  }
}

async function cutAt(scenario: Scenario, trouble: Trouble): Promise<Harvest> {
  const known = new Set<number>()
  const whole = await play(scenario, trouble, known)
  const violations = whole.violations.map((violation) => `uncut: ${violation}`)
  const { calls } = whole.process
  let cuts = 0
  for (const [index, name] of calls.entries()) {
    for (const when of ['before', 'after'] as const) {
      const played = await play(scenario, trouble, known, { call: index + 1, when })
      cuts += 1
      for (const violation of played.violations)
        violations.push(`cut ${when} call ${index + 1}, ${name}: ${violation}`)
    }
  }
  return { cuts, worlds: known.size, violations }
}
