import { Hono } from 'hono'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { upstox } from '../../../lib/brokers/upstox/upstox.ts'
import { type LocalServer, startLocalServer } from '../../../lib/local/local-server.ts'
import type { AccountId } from '../../../lib/model/account-id.ts'
import type { SimulatorServer } from '../../../lib/simulators/kit/simulator-server.ts'
import { UpstoxSimulator } from '../../../lib/simulators/upstox/upstox-simulator.ts'
import { success } from '../../support/login-world.ts'
import { Person } from '../../support/person.ts'
import { World } from '../../support/world.ts'

// The phone of the account holder, from the request of the app to the webhook, all over real HTTP.

const APP = {
  clientId: '615b1297-0000-4000-8000-000000000001',
  secret: 'S3CRET-UPSTOX-APP',
  redirectUri: 'https://tokens.example.invalid/callback/upstox',
}

let world: World
let simulator: UpstoxSimulator
let server: SimulatorServer
let notifier: LocalServer
let account: AccountId
let person: Person
/** What the app's notifier was sent. */
let received: unknown[]

beforeEach(async () => {
  world = new World('2026-11-23T08:00:00+05:30')
  simulator = new UpstoxSimulator(world.clock, APP, [
    { userId: 'SIM001', name: 'SIM USER ONE' },
    { userId: 'SIM002', name: 'SIM USER <TWO>' },
  ])
  server = await world.serve(simulator)
  account = await world.account('upstox', { client_id: APP.clientId, client_secret: APP.secret })
  person = new Person(world, upstox, account)
  await person.logIn()
  world.clock.set('2026-11-24T08:00:00+05:30')
  received = []
  const front = new Hono().post('/hook/8f3c', async (context) => {
    const body: unknown = await context.req.json()
    received.push(body)
    await person.logins.acceptApproval({ account, body })
    return context.body(null, 200)
  })
  notifier = await startLocalServer(front, 0)
})
afterEach(async () => {
  await notifier.close()
  await world.close()
})

const ask = async (): Promise<void> => void success(await person.logins.requestApproval({ account }))
const look = async (): Promise<string> => (await fetch(`${server.origin}/simulated-phone`)).text()
const requestIds = (page: string): string[] =>
  [...page.matchAll(/<input type="hidden" name="request" value="([^"]+)"/g)].map(([, id = '']) => id)

/** Taps a button of the newest request, or of the one named. */
async function tap(decision: 'approve' | 'reject', fields: Record<string, string> = {}): Promise<string> {
  const [request = ''] = requestIds(await look())
  const body = new URLSearchParams({ request, user: 'SIM001', decision, ...fields })
  const reply = await fetch(`${server.origin}/simulated-phone`, { method: 'POST', body })
  expect(reply.status).toBe(200)
  return (await reply.text()).match(/<p role="status">([^<]*)/)?.[1] ?? ''
}
const generation = async (): Promise<number | undefined> =>
  (await world.ports.states.get(account))?.generation

test('has nothing to approve before anybody asked, and does nothing then', async () => {
  simulator.notify(`${notifier.url}/hook/8f3c`)
  expect(await look()).toContain('Nothing to approve')
  expect(await tap('approve')).toBe('This request is not open any more.')
  expect(received).toEqual([])
})

test('shows who asks and until when, with a labelled list of whose phone it is', async () => {
  await ask()
  const page = await look()
  expect(page).toContain('SIMULATED BROKER — nothing here is real')
  expect(page).toContain('Asked Tue 24 Nov 08:00 IST')
  expect(page).toContain(`${APP.clientId} trade for you? Open until Wed 25 Nov 03:30 IST.`)
  const id = requestIds(page)[0]
  expect(page).toContain(`<label for="user-${id}">`)
  expect(page).toContain(`<select id="user-${id}" name="user">`)
  expect(page).toContain('SIM USER &lt;TWO&gt;')
})

describe('with a notifier URL that was set once the address of the site was known', () => {
  beforeEach(() => simulator.notify(`${notifier.url}/hook/8f3c`))

  test('an approval brings the app a proven token, once', async () => {
    await ask()
    expect(await generation()).toBe(1)
    const again = { request: requestIds(await look())[0] ?? '' }
    expect(await tap('approve', again)).toBe('Approved. The app’s notifier answered 200.')
    expect(await generation()).toBe(2)
    expect(await look()).toContain('Nothing to approve')
    expect(await tap('approve', again)).toBe('This request is not open any more.')
    expect(received).toMatchObject([{ user_id: 'SIM001', message_type: 'access_token' }])
  })

  test('a rejection tells nobody, and the request is gone', async () => {
    await ask()
    expect(await tap('reject')).toBe('Rejected. Upstox tells nobody.')
    expect(received).toEqual([])
    expect(await look()).toContain('Nothing to approve')
    expect(await generation()).toBe(1)
  })

  test('each open request is answered for itself', async () => {
    await ask()
    world.clock.advance({ minutes: 30 })
    await ask()
    const [newest = '', oldest = ''] = requestIds(await look())
    await tap('reject', { request: oldest })
    expect(requestIds(await look())).toEqual([newest])
  })

  test('a request is open until 03:30 and no longer', async () => {
    await ask()
    const request = requestIds(await look())[0] ?? ''
    world.clock.set('2026-11-25T03:29:59+05:30')
    expect(requestIds(await look())).toEqual([request])
    world.clock.set('2026-11-25T03:30:00+05:30')
    expect(await look()).toContain('Nothing to approve')
    expect(await tap('approve', { request })).toBe('This request is not open any more.')
    expect(received).toEqual([])
  })

  test('somebody else’s approval changes nothing with the app', async () => {
    await ask()
    expect(await tap('approve', { user: 'SIM002' })).toContain('Approved.')
    expect(received).toHaveLength(1)
    expect(await generation()).toBe(1)
  })

  test('there is no such user as the one nobody has heard of, and the request stays open', async () => {
    await ask()
    expect(await tap('approve', { user: 'NOBODY' })).toBe('There is no such user.')
    expect(requestIds(await look())).toHaveLength(1)
  })
})

test('an app without a notifier URL gets nothing, and the request stays open', async () => {
  await ask()
  expect(await tap('approve')).toContain('the app has no notifier URL')
  expect(requestIds(await look())).toHaveLength(1)
})

test('a notifier that is not there is said on the phone', async () => {
  const gone = await startLocalServer(new Hono(), 0)
  await gone.close()
  simulator.notify(`${gone.url}/hook/8f3c`)
  await ask()
  expect(await tap('approve')).toBe('Approved, but the app’s notifier URL could not be reached.')
})
