import type { Broker } from '../../../lib/ports/broker/broker.ts'
import type { Ports } from '../../../lib/ports/ports.ts'
import type { CutWorld } from './cut-world.ts'
import type { Process } from './process.ts'

/** What people and brokers go on doing without knowing of a crash: reload a page, approve. */
export type Meanwhile = () => Promise<void>

/** The piece of work in which a process is killed, and what goes on around it. */
export interface Act {
  work(ports: Ports, process: Process): Promise<unknown>
  readonly meanwhile?: Meanwhile
}

export interface Scenario {
  readonly title: string
  readonly broker?: Broker
  /** The path whose request may mint a token, or makes the broker mint one. */
  readonly mints: string
  /** When the process of the act is stopped from outside, in seconds. @default - as a scheduled run */
  readonly seconds?: number
  /** Differs little from another one: it is played with the main troubles only. */
  readonly isVariant?: boolean
  /** Breaks our own side on purpose. @default - nothing is broken */
  readonly sabotage?: (ports: Ports) => Ports
  /** What comes before the crash; gives the act. */
  prepare(world: CutWorld): Promise<Act>
}
