import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AccountId } from '../../lib/model/account-id.ts'
import { changed, newAccountState } from '../../lib/model/account-state.ts'
import { StateStoreError, TokenVaultError } from '../../lib/model/errors.ts'
import { Secret } from '../../lib/model/secrets/secret.ts'
import { World } from './world.ts'

let world: World
let account: AccountId

beforeEach(async () => {
  world = new World()
  account = await world.account('fyers', { pin: '0412' })
})
afterEach(() => world.close())

const write = (value: string) => world.ports.vault.write(account, 'pin', new Secret(value))
const pin = () => world.stored(account, 'pin')

describe('a call that is told to fail', () => {
  test('is refused once and has no effect; the next one passes', async () => {
    const failing = world.failNext('vault.write')
    await expect(write('1111')).rejects.toThrow(TokenVaultError)
    expect(await pin()).toBe('0412')
    await write('2222')
    expect([await pin(), failing.count]).toEqual(['2222', 1])
  })

  test('has its effect where only the reply is lost', async () => {
    world.failNext('vault.write', { after: 'landed' })
    await expect(write('1111')).rejects.toThrow(TokenVaultError)
    expect(await pin()).toBe('1111')
  })

  test('fails as often as told, after those that pass', async () => {
    world.failNext('states.get', { skip: 1, times: 2 })
    const asked = async () =>
      world.ports.states
        .get(account)
        .then(() => 'passes')
        .catch(() => 'fails')
    expect([await asked(), await asked(), await asked(), await asked()]).toEqual([
      'passes',
      'fails',
      'fails',
      'passes',
    ])
  })

  test('fails until it is stopped', async () => {
    const error = new Error('denied')
    const denied = world.failNext('states.replace', { times: 'all', error })
    const next = changed((await world.ports.states.get(account)) ?? newAccountState(account), {})
    for (let i = 0; i < 3; i++) await expect(world.ports.states.replace(next)).rejects.toBe(error)
    denied.stop()
    expect(await world.ports.states.replace(next)).toEqual({ written: true })
  })

  test('fails only where it is the one that is meant', async () => {
    world.failNext('vault.read', { only: (_, names) => names.includes('pin') })
    expect(await world.stored(account, 'client_id')).toBeUndefined()
    await expect(pin()).rejects.toThrow(TokenVaultError)
  })

  test('never ends where it hangs, and tells when it has come to that', async () => {
    const dying = world.failNext('vault.write', { after: 'landed', hangs: true })
    const ended: string[] = []
    void write('1111').finally(() => ended.push('ended'))
    await dying.happened
    expect(await pin()).toBe('1111')
    expect(ended).toEqual([])
  })

  test('is a list that breaks off before its first record', async () => {
    world.failNext('states.list')
    const list = async () => {
      const found: AccountId[] = []
      for await (const state of world.ports.states.list('fyers')) found.push(state.account)
      return found
    }
    await expect(list()).rejects.toThrow(StateStoreError)
    expect(await list()).toEqual([account])
  })
})
