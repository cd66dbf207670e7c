import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AccountId } from '../../../lib/model/account-id.ts'
import { SubscriberError } from '../../../lib/model/errors.ts'
import type { Publication, Subscriber } from '../../../lib/ports/subscriber.ts'
import { handIn } from '../../support/hand-in.ts'
import { LoginWorld, success } from '../../support/login-world.ts'

let world: LoginWorld
let account: AccountId
let heard: Publication[]
let forgotten: AccountId[]

const listening: Subscriber = {
  name: 'listener',
  onPublished: async (publication) => void heard.push(publication),
  onWithdrawn: async (id) => void forgotten.push(id),
}

beforeEach(async () => {
  heard = []
  forgotten = []
  world = await LoginWorld.open()
  world.ports = { ...world.ports, subscribers: [listening] }
  account = await world.loginAccount()
})
afterEach(() => world.close())

describe('whoever wants to know hears of each published token', () => {
  test('from a login, a refresh, a token handed in and one that was found, each once', async () => {
    await world.logIn(account)
    await world.run(world.broker, { accounts: [account], force: true })
    const given = world.simulator.openFamily('SIM001').access
    await adopt(given)
    await world.store(account, { access_token: world.simulator.openFamily('SIM001').access })
    await world.run(world.broker)
    await world.run(world.broker)
    expect(heard.map(({ source, generation }) => [source, generation])).toEqual([
      ['login', 1],
      ['refresh_token', 2],
      ['given', 3],
      ['found', 4],
    ])
    expect(heard.at(-1)?.accessToken.reveal()).toBe(await world.stored(account, 'access_token'))
  })

  test('from an approval', async () => {
    await world.logIn(account)
    success(await world.logins.requestApproval({ account }))
    await world.logins.acceptApproval({ account, body: world.simulator.webhookOf('SIM001') })
    expect(heard.at(-1)).toMatchObject({ source: 'approval', generation: 2 })
  })

  test('but not of one that was not published', async () => {
    await world.logIn(account)
    await world.clock.sleep(60_000)
    await world.logIn(account, 'SIM999')
    expect(heard).toHaveLength(1)
  })
})

test('a subscriber that fails is reported and fails nothing', async () => {
  const broken = async (): Promise<never> => {
    throw new SubscriberError('Redis cannot be reached', { fix: 'start it' })
  }
  world.ports = {
    ...world.ports,
    subscribers: [{ name: 'Redis mirror', onPublished: broken, onWithdrawn: broken }, listening],
  }
  expect((await world.logIn(account)).success).toBe(true)
  expect(heard).toHaveLength(1)
  expect(world.counts.get('loginbroker SubscriberFailed')).toBe(1)
  expect(world.logs.find(({ message }) => message.includes('Redis mirror'))?.fields).toEqual({
    account,
    reason: 'Redis cannot be reached',
    fix: 'start it',
  })
})

test('a paused account is withdrawn', async () => {
  await world.logIn(account)
  await pause()
  await world.run(world.broker)
  expect(forgotten).toEqual([account])
})

describe('a run that finds the token fresh lets a mirror put back what it lost', () => {
  let kept: Publication[]
  const keeping: Subscriber = {
    ...listening,
    onStillCurrent: async (publication) => void kept.push(publication),
  }

  beforeEach(() => {
    kept = []
    world.ports = { ...world.ports, subscribers: [listening, keeping] }
  })

  test('by the same publication as the first time', async () => {
    await world.logIn(account)
    const published = heard.at(-1)
    await world.run(world.broker)
    expect(kept).toEqual([published])
    expect(kept[0]?.accessToken.reveal()).toBe(await world.stored(account, 'access_token'))
  })

  test('and not where the run did something else', async () => {
    await world.logIn(account)
    await world.run(world.broker, { accounts: [account], force: true })
    await pause()
    await world.run(world.broker)
    expect(kept).toEqual([])
  })

  test('without a further read, whether or not a mirror has it', async () => {
    await world.logIn(account)
    const reads = async (subscribers: readonly Subscriber[] | undefined): Promise<number> => {
      let count = 0
      const { vault } = world.ports
      const counting = {
        read: (...args: Parameters<typeof vault.read>) => {
          count += 1
          return vault.read(...args)
        },
        write: vault.write.bind(vault),
        remove: vault.remove.bind(vault),
      }
      const { ports } = world
      const { subscribers: _, ...others } = ports
      world.ports = { ...others, vault: counting, ...(subscribers && { subscribers }) }
      await world.run(world.broker)
      world.ports = ports
      return count
    }
    expect(await reads([keeping])).toBe(await reads(undefined))
    expect(await reads([listening])).toBe(await reads(undefined))
    expect(kept).toHaveLength(1)
  })

  test('and a mirror that fails then fails nothing, and keeps no other from it', async () => {
    await world.logIn(account)
    const failing: Subscriber = {
      ...listening,
      name: 'Redis mirror',
      onStillCurrent: () => Promise.reject(new SubscriberError('Redis cannot be reached')),
    }
    world.ports = { ...world.ports, subscribers: [failing, keeping] }
    const { report } = await world.run(world.broker)
    expect(report.results).toMatchObject([{ outcome: 'fresh', success: true }])
    expect(kept).toHaveLength(1)
    expect(world.counts.get('loginbroker SubscriberFailed')).toBe(1)
  })
})

async function pause(): Promise<void> {
  await world.change(account, { paused: { since: world.clock.now() } })
}

async function adopt(token: string): Promise<void> {
  await handIn(world, { broker: world.broker, account, accessToken: token })
}
