import { afterAll, expect } from 'vitest'
import { cutEverywhere } from './play.ts'
import type { Story } from './troubles.ts'

/** Every act calls the outside at least so often, and changes something there. */
const FEWEST_CUTS = 10
const FEWEST_WORLDS = 3

/** Plays stories cut at every call, expects that nothing broke, and says at the end how often it cut. */
export class Tally {
  #cuts = 0
  #worlds = 0
  #stories = 0

  constructor(what: string) {
    afterAll(() => {
      console.info(
        `${what}: ${this.#stories} stories killed at ${this.#cuts} points, which leave ${this.#worlds} different worlds`,
      )
    })
  }

  async play([, scenario, trouble]: Story): Promise<void> {
    const { cuts, worlds, violations } = await cutEverywhere(scenario, trouble)
    this.#stories += 1
    this.#cuts += cuts
    this.#worlds += worlds
    expect(violations).toEqual([])
    expect(cuts).toBeGreaterThanOrEqual(FEWEST_CUTS)
    expect(worlds).toBeGreaterThanOrEqual(FEWEST_WORLDS)
  }
}
