import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { withdrawNow } from '../../lib/cli/accounts/withdraw-now.ts'
import type { Composition } from '../../lib/cli/backend/composition.ts'
import type { RunOrder } from '../../lib/cli/backend/setting.ts'
import { enabledBrokers, parseConfig } from '../../lib/config.ts'
import type { AccountId } from '../../lib/model/account-id.ts'
import { ConfigurationError } from '../../lib/model/errors.ts'
import { report } from '../../lib/model/outcome.ts'
import { World } from '../support/world.ts'

const REDIS = { redis: { url: 'rediss://cache.example.invalid' } }

let world: World
let account: AccountId
let runs: [string, readonly AccountId[] | undefined][]
let notes: string[]
const terminal = { note: (text: string): void => void notes.push(text) }

beforeEach(async () => {
  world = new World()
  account = await world.account('fyers', {})
  runs = []
  notes = []
})
afterEach(() => world.close())

/** The command line of a stack with these mirrors. */
function stack(mirrors: object): Composition {
  const config = parseConfig({ backend: 'aws', mirrors, brokers: { fyers: {}, upstox: {} } })
  const run = async ({ broker: { broker }, accounts }: RunOrder) => {
    runs.push([broker.id, accounts])
    return report([])
  }
  return {
    backend: 'aws',
    config,
    brokers: enabledBrokers(config),
    ports: world.ports,
    run,
  } as unknown as Composition
}

describe('accounts that were paused on AWS', () => {
  test('are withdrawn by one run of each broker, over them alone', async () => {
    const others = await Promise.all(['upstox/ACC1', 'upstox/ACC2'].map((id) => world.account(id, {})))
    await withdrawNow([account, ...others], stack(REDIS), terminal)
    expect(runs).toEqual([
      ['fyers', [account]],
      ['upstox', others],
    ])
  })

  test('cause no run where nothing mirrors', async () => {
    await withdrawNow([account], stack({}), terminal)
    await withdrawNow([account], stack({ files: [{ path: '.env' }] }), terminal)
    expect(runs).toEqual([])
  })

  test('stay paused when the run fails, which is told', async () => {
    const run = () => Promise.reject(new ConfigurationError('the function is not deployed'))
    await withdrawNow([account], { ...stack(REDIS), run }, terminal)
    expect(notes).toEqual([
      'the mirrors may still hold tokens of fyers, until the next run: the function is not deployed',
    ])
  })
})
