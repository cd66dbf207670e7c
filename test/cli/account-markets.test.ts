import { afterEach, beforeEach, expect, test } from 'vitest'
import { register } from '../../lib/cli/accounts/registration.ts'
import { marketsOfAccount } from '../../lib/cli/markets/names.ts'
import { UsageError } from '../../lib/cli/terminal/usage-error.ts'
import { parseAccountId } from '../../lib/model/account-id.ts'
import { World } from '../support/world.ts'

const ACCOUNT = parseAccountId('zerodha')

let world: World

beforeEach(() => {
  world = new World()
})
afterEach(() => world.close())

test('the markets of an account are names with commas between them, none, or those of its broker', () => {
  expect(marketsOfAccount('in-equity, in-mcx')).toEqual(['in-equity', 'in-mcx'])
  expect(marketsOfAccount('none')).toEqual([])
  expect(marketsOfAccount('usual')).toBeUndefined()
  expect(() => marketsOfAccount('in-equity,nse')).toThrow(UsageError)
  expect(() => marketsOfAccount('in-equity,nse')).toThrow('"nse" is no market')
})

test('what is set stays until it is set anew, and what is unset is as if it had never been', async () => {
  const stored = async (settings: Parameters<typeof register>[2]['settings']) => {
    await register(world.ports.states, ACCOUNT, { settings, forgetUser: false })
    return (await world.record(ACCOUNT)).settings
  }
  expect(await stored({ nickname: 'Main', markets: ['in-mcx'] })).toEqual({
    nickname: 'Main',
    markets: ['in-mcx'],
  })
  expect(await stored({ nickname: 'Other' })).toEqual({ nickname: 'Other', markets: ['in-mcx'] })
  expect(await stored({ markets: undefined })).toEqual({ nickname: 'Other' })
})
