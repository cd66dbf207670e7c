import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AccountId } from '../../../lib/model/account-id.ts'
import { RotaWorld } from '../../support/rota-world.ts'
import { type RotabrokerSimulator, rotabroker } from '../../support/rotating-broker.ts'

let world: RotaWorld
let simulator: RotabrokerSimulator
let account: AccountId

beforeEach(async () => {
  world = await RotaWorld.open()
  ;({ simulator } = world)
  account = await world.rotaAccount()
})

afterEach(() => world.close())

const result = () => world.runOne(rotabroker)

/** Lets the access token of the last run come due. */
function later(minutes = 25): void {
  world.clock.advance({ minutes })
}

describe('I2 only a proven token of the right user is published', () => {
  test('a token that the broker does not accept is not published, the old one stays', async () => {
    await result()
    const before = await world.stored(account, 'access_token')
    later()
    simulator.accessTokenOverride = 'sim.dead.token'
    expect(await result()).toMatchObject({ outcome: 'awaiting_login' })
    expect(await world.stored(account, 'access_token')).toBe(before)
  })

  test('a token of another user is not published, and the message shows neither id in full', async () => {
    await result()
    const before = await world.stored(account, 'access_token')
    later()
    simulator.answersAs = 'SIM999'
    expect(await result()).toMatchObject({ outcome: 'failed', code: 'wrong_account' })
    expect(await world.stored(account, 'access_token')).toBe(before)
    expect(world.said()).not.toContain('SIM999')
  })

  test.each(['', 'short', 'an error text with spaces', 'x'.repeat(9000), 'naïve-token-with-ümlauts'])(
    'an implausible token is never stored (%#)',
    async (token) => {
      await result()
      const before = await world.stored(account, 'access_token')
      later()
      simulator.accessTokenOverride = token
      expect(await result()).toMatchObject({ outcome: 'failed', code: 'response_unexpected' })
      expect(await world.stored(account, 'access_token')).toBe(before)
    },
  )

  test('a 5 kB token is published whole', async () => {
    simulator.nextAccessToken = 'x'.repeat(5000)
    expect(await result()).toMatchObject({ outcome: 'refreshed' })
    expect(await world.stored(account, 'access_token')).toBe(simulator.nextAccessToken)
    later()
    simulator.nextAccessToken = undefined
    simulator.companion = 'y'.repeat(5000)
    expect(await result()).toMatchObject({ outcome: 'refreshed' })
    expect((await world.stored(account, 'session'))?.length).toBeGreaterThan(5000)
  })
})
