import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Composition } from '../../lib/cli/backend/composition.ts'
import { demoWorld, type ServedWorld } from '../../lib/cli/serve/served-world.ts'
import { World } from '../support/world.ts'

let world: World
let served: ServedWorld

beforeEach(async () => {
  world = new World('2026-11-23T12:00:00+05:30')
  const options = { siteUrl: 'http://127.0.0.1:8787', minutesPerSecond: 100_000 }
  const deaf = { alert: () => undefined, tell: () => undefined, loginEnded: () => undefined }
  served = await demoWorld({ ports: world.ports } as unknown as Composition, { ...options, ...deaf })
})
afterEach(async () => {
  await served.close()
  await world.close()
})

test('the rehearsal begins before yesterday’s tokens die, however long the machine takes to set it up', async () => {
  const diesAt = world.at('2026-11-23T06:00:00+05:30').epochMilliseconds
  const time = (): number => served.ports.clock.now().epochMilliseconds
  expect(time()).toBeLessThan(diesAt)
  served.begun()
  await expect.poll(time).toBeGreaterThan(diesAt)
})
