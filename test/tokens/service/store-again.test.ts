import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AccountId } from '../../../lib/model/account-id.ts'
import type { AccountState } from '../../../lib/model/account-state.ts'
import { BusyError, TokenVaultError } from '../../../lib/model/errors.ts'
import type { SecretName } from '../../../lib/model/secrets/secret-name.ts'
import { secretStamp } from '../../../lib/tokens/rules/grants/secret-stamp.ts'
import { storeAgain } from '../../../lib/tokens/service/store-again.ts'
import { RotaWorld } from '../../support/rota-world.ts'
import { rotabroker } from '../../support/rotating-broker.ts'

const NAMES = ['client_id', 'refresh_token', 'access_token'] as const

let world: RotaWorld
let account: AccountId
let turns: number

beforeEach(async () => {
  world = await RotaWorld.open()
  account = await world.rotaAccount()
  await world.run(rotabroker)
  world.clock.advance({ minutes: 5 })
  turns = 0
})

afterEach(() => world.close())

function again(names: readonly SecretName[] = NAMES): Promise<readonly SecretName[]> {
  const turn = async () => void turns++
  return storeAgain({ broker: rotabroker, account, names, turn }, world.ports)
}

const stamps = async (...names: SecretName[]): Promise<Record<string, string>> => {
  const stored = await world.ports.vault.read(account, names)
  return Object.fromEntries(names.map((name) => [name, secretStamp(stored, name)]))
}

/** A grant that is blocked and one of unknown fate, noted of what is stored now. */
async function noted(): Promise<AccountState> {
  const at = world.clock.now()
  const of = await stamps('client_id', 'refresh_token')
  await world.change(account, {
    blocks: {
      refresh_token: { code: 'human_action', reason: 'refused', stamps: of, at, forcible: false },
    },
    unconfirmed: { client_id: { stamp: String(of['client_id']), count: 2 } },
    ambiguous: { grant: 'refresh_token', at, repeats: 0, stamps: of, probed: true },
    refusedVersion: 1,
  })
  return world.record(account)
}

describe('secrets that are stored again as they are', () => {
  test('have their values, one version more, and wait for a turn each', async () => {
    const values = await Promise.all(NAMES.map((name) => world.stored(account, name)))
    const versions = await stamps(...NAMES)
    expect(await again()).toEqual(NAMES)
    expect(await Promise.all(NAMES.map((name) => world.stored(account, name)))).toEqual(values)
    expect(await stamps(...NAMES)).not.toEqual(versions)
    expect(turns).toBe(3)
    expect(await world.record(account)).not.toHaveProperty('lease')
  })

  test('are no news to a run: the token stays fresh and no broker is asked', async () => {
    const calls = world.server.seen.length
    await again()
    expect(await world.runOne(rotabroker)).toMatchObject({ outcome: 'fresh' })
    expect(world.server.seen.length).toBe(calls)
    expect(world.simulator.exchanges).toBe(1)
  })

  test('lift no block, count no try anew and settle nothing', async () => {
    const before = await noted()
    await again()
    const of = await stamps('client_id', 'refresh_token')
    expect(await world.record(account)).toMatchObject({
      blocks: { refresh_token: { ...before.blocks.refresh_token, stamps: of } },
      unconfirmed: { client_id: { stamp: of['client_id'], count: 2 } },
      ambiguous: { ...before.ambiguous, stamps: of },
      accessToken: { ...before.accessToken, version: 2 },
      refreshToken: { ...before.refreshToken, version: 3 },
      refusedVersion: 2,
    })
  })

  test('leave alone what is on record of another value', async () => {
    await noted()
    await world.change(account, {
      blocks: {},
      ambiguous: undefined,
      refusedVersion: undefined,
      unconfirmed: { client_id: { stamp: 'older', count: 2 } },
    })
    await again()
    expect(await world.record(account)).toMatchObject({
      unconfirmed: { client_id: { stamp: 'older', count: 2 } },
    })
  })

  test('go on where they were interrupted: what was done is on record, and the rest follows', async () => {
    const before = await world.record(account)
    world.failNext('vault.write', { skip: 2 })
    await expect(again()).rejects.toBeInstanceOf(TokenVaultError)
    const between = await world.record(account)
    expect(between.refreshToken?.version).toBe(Number(before.refreshToken?.version) + 1)
    expect(between.accessToken?.version).toBe(before.accessToken?.version)
    expect(await world.runOne(rotabroker)).toMatchObject({ outcome: 'fresh' })
    await again(['access_token'])
    expect(await world.runOne(rotabroker)).toMatchObject({ outcome: 'fresh' })
    expect(world.simulator.exchanges).toBe(1)
  })

  test('are on record where the answer to a write was lost', async () => {
    world.failNext('vault.write', { skip: 2, after: 'landed' })
    expect(await again()).toEqual(NAMES)
    expect(await world.runOne(rotabroker)).toMatchObject({ outcome: 'fresh' })
    expect(world.simulator.exchanges).toBe(1)
  })

  test('are not put over a newer value in silence: whoever stored it at the same moment has to store it again', async () => {
    const { vault } = world.ports
    const write: typeof vault.write = async (of, name, value, options) => {
      await vault.write(of, name, value, options)
      return vault.write(of, name, value, options)
    }
    world.ports = { ...world.ports, vault: { ...vault, write } }
    await expect(again(['client_id'])).rejects.toMatchObject({
      message: expect.stringContaining('was stored by somebody else at the same moment'),
      fix: 'store it once more: tokenkeeper put rotabroker client_id',
    })
  })

  test('are left alone while a run holds the account', async () => {
    const until = world.clock.now().add({ hours: 1 })
    await world.change(account, { lease: { owner: 'a run', takenAt: world.clock.now(), until } })
    const before = await stamps(...NAMES)
    await expect(again()).rejects.toBeInstanceOf(BusyError)
    expect(await stamps(...NAMES)).toEqual(before)
  })

  test('are not there: that is no error', async () => {
    expect(await again(['pin'])).toEqual([])
  })
})

test('a record that meets a passing fault is tried again: a block whose stamp is left behind would be lifted', async () => {
  const before = await noted()
  world.failNext('states.replace', { skip: 1, times: 2 })
  await again(['client_id'])
  const { blocks } = await world.record(account)
  expect(blocks.refresh_token?.stamps).toEqual(await stamps('client_id', 'refresh_token'))
  expect(blocks.refresh_token?.stamps).not.toEqual(before.blocks.refresh_token?.stamps)
})
