import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AccountId } from '../../../lib/model/account-id.ts'
import type { Ports } from '../../../lib/ports/ports.ts'
import { type Run, runBroker } from '../../../lib/tokens/refresh/run.ts'
import { LoginWorld } from '../../support/login-world.ts'

let world: LoginWorld
let account: AccountId

beforeEach(async () => {
  world = await LoginWorld.open('2026-11-23T07:00:00+05:30')
  account = await world.loginAccount()
  await world.logIn(account)
  // Due: what that login gave lives twelve hours.
  world.clock.advance({ hours: 11 })
})
afterEach(() => world.close())

/** A run that is frozen while its grant is in flight: the broker has answered, and our process does not see it. */
async function frozen(change: (ports: Ports) => Ports = (ports) => ports) {
  const sent = Promise.withResolvers<void>()
  const woken = Promise.withResolvers<void>()
  const ports = change({
    ...world.ports,
    http: {
      send: async (request) => {
        const reply = await world.ports.http.send(request)
        if (request.url.endsWith('/token')) {
          sent.resolve()
          await woken.promise
        }
        return reply
      },
    },
  })
  const hardDeadline = world.clock.now().add({ seconds: 600 })
  const request = {
    broker: world.broker,
    accounts: [account],
    owner: 'frozen',
    hardDeadline,
    pacingSeconds: 0,
  }
  const run = runBroker(request, ports)
  await sent.promise
  return async (): Promise<Run['report']['results'][number] | undefined> => {
    woken.resolve()
    return (await run).report.results[0]
  }
}

const run = () => world.runOne(world.broker, { accounts: [account] })
const refreshToken = () => world.stored(account, 'refresh_token')

describe('a run that wakes after its lease', () => {
  test('writes no refresh token over the newer one of a login, and says so', async () => {
    const wake = await frozen()
    world.clock.advance({ minutes: 10 })
    await run()
    await world.logIn(account)
    const newer = await refreshToken()
    expect(await wake()).toMatchObject({
      outcome: 'failed',
      code: 'state',
      reason: expect.stringContaining('gave its refresh token up for the newer one'),
    })
    expect(await refreshToken()).toBe(newer)
    expect(await world.stored(account, 'pending')).toBeUndefined()
    expect(world.logs).toContainEqual(
      expect.objectContaining({ level: 'warn', message: expect.stringContaining('came too late') }),
    )
    world.clock.advance({ hours: 11 })
    expect(await run()).toMatchObject({ outcome: 'refreshed' })
  })

  test('leaves a refresh token alone that somebody stored by hand', async () => {
    const wake = await frozen()
    world.clock.advance({ minutes: 10 })
    await world.store(account, { refresh_token: 'handed-in-by-a-person' })
    await wake()
    expect(await refreshToken()).toBe('handed-in-by-a-person')
  })

  test('saves its refresh token where nobody has stored another one: the broker has issued it', async () => {
    const before = await refreshToken()
    const wake = await frozen()
    world.clock.advance({ minutes: 10 })
    // The fate of the grant is unknown to this run, which must not send it again.
    await run()
    expect(await refreshToken()).toBe(before)
    await wake()
    expect(await refreshToken()).not.toBe(before)
    expect(await refreshToken()).toBe(world.simulator.currentOf('SIM001'))
    world.clock.advance({ minutes: 10 })
    expect(await run()).toMatchObject({ outcome: 'refreshed' })
  })

  test('saves it where the one it used was deleted: that is no newer one', async () => {
    const wake = await frozen()
    world.clock.advance({ minutes: 10 })
    await world.ports.vault.remove(account, 'refresh_token')
    await wake()
    expect(await refreshToken()).toBe(world.simulator.currentOf('SIM001'))
  })

  test('saves it where the record cannot be read: the vault tells that there is no newer one', async () => {
    const wake = await frozen()
    world.clock.advance({ minutes: 10 })
    world.failNext('states.get', { times: 'all' })
    await wake()
    expect(await refreshToken()).toBe(world.simulator.currentOf('SIM001'))
  })

  test('waits for the run that holds the account by now, whose refresh token is the one to keep', async () => {
    const wake = await frozen()
    world.clock.advance({ minutes: 10 })
    const now = world.clock.now()
    const lease = { owner: 'another', takenAt: now, until: now.add({ seconds: 90 }) }
    await world.change(account, { lease })
    const sleep = world.clock.sleep.bind(world.clock)
    world.clock.sleep = async (milliseconds) => {
      world.clock.sleep = sleep
      const { version } = await world.ports.vault.write(
        account,
        'refresh_token',
        (await world.ports.vault.read(account, ['client_id'])).get('client_id')?.value as never,
      )
      await world.change(account, {
        lease: undefined,
        refreshToken: { version, savedAt: world.clock.now() },
      })
      await sleep(milliseconds)
    }
    await wake()
    expect(await refreshToken()).toBe('SIM-APP')
  })

  test('waits no longer than that run’s lease', async () => {
    const wake = await frozen()
    world.clock.advance({ minutes: 10 })
    const now = world.clock.now()
    const lease = { owner: 'another', takenAt: now, until: now.add({ seconds: 90 }) }
    await world.change(account, { lease })
    await wake()
    const waited = now.until(world.clock.now()).total('seconds')
    expect(waited).toBeGreaterThanOrEqual(210)
    expect(waited).toBeLessThan(212)
    expect(await refreshToken()).toBe(world.simulator.currentOf('SIM001'))
  })

  test('keeps no access token over the one a later run has kept', async () => {
    const wake = await frozen()
    world.clock.advance({ minutes: 10 })
    await world.store(account, { pending: 'kept-by-a-later-run' })
    await world.change(account, {
      lease: undefined,
      pending: { mintedAt: world.clock.now(), source: 'login' },
    })
    await wake()
    expect(await world.stored(account, 'pending')).toBe('kept-by-a-later-run')
  })

  test('looks first as well when our clock was set back in the meantime', async () => {
    const wake = await frozen()
    world.clock.advance({ minutes: 10 })
    await world.logIn(account)
    const newer = await refreshToken()
    world.clock.set('2026-11-22T07:00:00+05:30')
    await wake()
    expect(await refreshToken()).toBe(newer)
  })
})

test('a run within its lease does not look: what it has to save comes first', async () => {
  let reads = 0
  const { states } = world.ports
  const get: typeof states.get = async (id) => {
    reads += 1
    return states.get(id)
  }
  const wake = await frozen((ports) => ({ ...ports, states: { ...states, get } }))
  const before = reads
  expect(await wake()).toMatchObject({ outcome: 'refreshed' })
  expect(reads).toBe(before)
})
