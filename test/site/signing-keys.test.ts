import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseAccountId } from '../../lib/model/account-id.ts'
import type { TokenVault } from '../../lib/ports/token-vault.ts'
import { storedValue } from '../../lib/ports/token-vault.ts'
import {
  ensureSigningKey,
  isSignature,
  rotateSigningKey,
  type SigningKey,
  signature,
  storedSigningKeys,
} from '../../lib/site/signing-keys.ts'
import { World } from '../support/world.ts'

const SITE = parseAccountId('site')

let world: World
let vault: TokenVault
let reads: number

beforeEach(() => {
  world = new World()
  reads = 0
  const real = world.ports.vault
  vault = {
    ...real,
    read: (account, names) => {
      reads += 1
      return real.read(account, names)
    },
  }
})
afterEach(() => world.close())

async function present(): Promise<SigningKey> {
  const key = await storedSigningKeys(vault, world.clock).current()
  if (!key) throw new Error('there is no key')
  return key
}

describe('the signing key', () => {
  test('is not there until somebody makes it, and is then the same for everybody', async () => {
    expect(await storedSigningKeys(vault, world.clock).current()).toBeUndefined()
    await ensureSigningKey(vault)
    const first = await present()
    await ensureSigningKey(vault)
    expect((await present()).id).toBe(first.id)
    expect(first.key.reveal()).toMatch(/^[A-Za-z0-9_-]{43}$/)
  })

  test('is a secret like any other: neither printed nor part of an error', async () => {
    await ensureSigningKey(vault)
    const key = await present()
    expect(`${key.key} ${JSON.stringify(key)}`).not.toContain(key.key.reveal())
    await world.ports.vault.write(SITE, 'signing_key', storedValue('signing_key', '[{"id":"CANARY"}]'))
    const error = await storedSigningKeys(vault, world.clock)
      .current()
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'configuration_invalid' })
    expect(`${error} ${JSON.stringify(error)}`).not.toContain('CANARY')
  })

  test('can be rotated: the one before stays for what it has signed, the one before that is gone', async () => {
    await ensureSigningKey(vault)
    const first = await present()
    await rotateSigningKey(vault)
    const second = await present()
    const keys = storedSigningKeys(vault, world.clock)
    expect(await keys.named(first.id)).toBeDefined()
    expect((await keys.all()).map(({ id }) => id)).toEqual([second.id, first.id])
    await rotateSigningKey(vault)
    expect(await storedSigningKeys(vault, world.clock).named(first.id)).toBeUndefined()
    expect(await storedSigningKeys(vault, world.clock).named(second.id)).toBeDefined()
  })
})

describe('the keys in memory', () => {
  test('are read once in five minutes, however many ask', async () => {
    await ensureSigningKey(vault)
    reads = 0
    const keys = storedSigningKeys(vault, world.clock)
    await Promise.all(Array.from({ length: 10 }, () => keys.current()))
    world.clock.advance({ minutes: 4 })
    await keys.current()
    expect(reads).toBe(1)
    world.clock.advance({ minutes: 1 })
    await keys.current()
    expect(reads).toBe(2)
  })

  test('notice a first key within ten seconds, and a rotation at the first signature by it', async () => {
    const keys = storedSigningKeys(vault, world.clock)
    expect(await keys.current()).toBeUndefined()
    await ensureSigningKey(vault)
    world.clock.advance({ seconds: 10 })
    const first = await keys.current()
    await rotateSigningKey(vault)
    const { id } = await present()
    expect((await keys.current())?.id).toBe(first?.id)
    world.clock.advance({ seconds: 10 })
    expect((await keys.named(id))?.id).toBe(id)
  })

  test('do not let a stranger who invents key ids read the vault all the time', async () => {
    await ensureSigningKey(vault)
    const keys = storedSigningKeys(vault, world.clock)
    await keys.current()
    reads = 0
    for (let guess = 0; guess < 50; guess++) expect(await keys.named(`guess-${guess}`)).toBeUndefined()
    expect(reads).toBe(0)
    world.clock.advance({ seconds: 10 })
    for (let guess = 0; guess < 50; guess++) expect(await keys.named(`guess-${guess}`)).toBeUndefined()
    expect(reads).toBe(1)
  })

  test('of a read that failed are asked for again', async () => {
    await ensureSigningKey(vault)
    const failing = { read: () => Promise.reject(new Error('SSM is away')) as never }
    let broken = true
    const keys = storedSigningKeys(
      { read: (account, names) => (broken ? failing.read() : vault.read(account, names)) },
      world.clock,
    )
    await expect(keys.current()).rejects.toThrow('SSM is away')
    broken = false
    expect(await keys.current()).toBeDefined()
  })
})

describe('a signature', () => {
  test('holds for its text, its purpose and its key, and for nothing else', async () => {
    await ensureSigningKey(vault)
    const key = await present()
    const signed = signature(key, 'link', 'text')
    expect(isSignature(key, 'link', 'text', signed)).toBe(true)
    expect(isSignature(key, 'link', 'Text', signed)).toBe(false)
    expect(isSignature(key, 'cookie', 'text', signed)).toBe(false)
    expect(isSignature(key, 'link', 'text', `${signed}A`)).toBe(false)
    expect(isSignature(key, 'link', 'text', signed.slice(1))).toBe(false)
    expect(isSignature(key, 'link', 'text', '')).toBe(false)
    expect(isSignature(key, 'link', 'text', 'é'.repeat(43))).toBe(false)
    await rotateSigningKey(vault)
    expect(isSignature(await present(), 'link', 'text', signed)).toBe(false)
  })
})
