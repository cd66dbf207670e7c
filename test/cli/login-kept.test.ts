import { afterEach, beforeEach, expect, test } from 'vitest'
import { finishTask } from '../../lib/cli/login/finish.ts'
import { afterProof, provingMeanwhile } from '../../lib/cli/login/kept.ts'
import type { LoginTask } from '../../lib/cli/login/task.ts'
import { watchForLogin } from '../../lib/cli/login/watch.ts'
import type { AccountId } from '../../lib/model/account-id.ts'
import { HTML_502 } from '../../lib/simulators/kit/simulator.ts'
import type { SimulatorServer } from '../../lib/simulators/kit/simulator-server.ts'
import { LoginWorld, success } from '../support/login-world.ts'

let world: LoginWorld
let server: SimulatorServer
let account: AccountId
let runs: number
let notes: string[]
let task: LoginTask

beforeEach(async () => {
  world = new LoginWorld()
  server = await world.serve(world.simulator)
  account = await world.loginAccount()
  runs = 0
  notes = []
  const composition = {
    ports: world.ports,
    logins: world.logins,
    brokers: [{ broker: world.broker }],
    run: async () => {
      runs += 1
      return (await world.run(world.broker)).report
    },
  }
  const terminal = { note: (text: string) => void notes.push(text) }
  task = { broker: world.broker, account, composition, terminal } as unknown as LoginTask
})
afterEach(() => world.close())

function silentFor(calls: number): void {
  for (let i = 0; i < calls; i++) server.failNext('/me', HTML_502)
}

async function finished() {
  // The command line logs in by a bare code here, as `login --code -` does.
  const code = world.simulator.codeFor('SIM001')
  return finishTask({ by: 'code', account, code }, task)
}

test('a login whose token is not proven at once goes on until it is, without another login', async () => {
  silentFor(7)
  const end = await finished()
  expect(end).toMatchObject({ success: true, reason: expect.stringContaining('logged in') })
  expect(notes.join()).toContain('Loginbroker does not prove the new token yet, which is kept')
  expect(runs).toBe(1)
  expect(world.simulator.codesSeen).toBe(1)
})

test('one the broker never proves while it waits says that the token is kept and what proves it', async () => {
  silentFor(200)
  const end = await finished()
  expect(end).toMatchObject({ success: false, fix: expect.stringContaining('do not log in again') })
  expect(runs).toBe(3)
  expect((await world.record(account)).pending).toBeDefined()
})

test('an approval that was posted and not proven is proven while the command waits', async () => {
  await world.logIn(account)
  world.clock.advance({ minutes: 31 })
  const before = await world.record(account)
  success(await world.logins.requestApproval({ account }))
  silentFor(5)
  await world.logins.acceptApproval({ account, body: world.simulator.webhookOf('SIM001') })
  const { signal } = new AbortController()
  const end = await watchForLogin(task, before, { signal, onFailure: () => undefined })
  expect(end).toMatchObject({ success: true })
  expect(runs).toBe(1)
})

test('one that stays unproven is tried once a minute after the first runs, however often somebody looks', async () => {
  silentFor(1_000)
  await world.logIn(account)
  const prove = provingMeanwhile(task)
  expect((await prove())?.pending).toBeDefined()
  expect(runs).toBe(3)
  const from = world.clock.now()
  let looked = 0
  while (from.until(world.clock.now()).total('minutes') < 15) {
    if (await prove()) looked += 1
    world.clock.advance({ seconds: 2 })
  }
  expect(looked).toBe(runs - 3)
  expect(runs - 3).toBeGreaterThanOrEqual(7)
  expect(runs - 3).toBeLessThanOrEqual(15)
})

test('a watch uses that: two looks in a minute are three runs, not six', async () => {
  silentFor(1_000)
  const before = await world.record(account)
  await world.logIn(account)
  const abort = new AbortController()
  let looks = 0
  const get = world.ports.states.get.bind(world.ports.states)
  const states: typeof world.ports.states = {
    ...world.ports.states,
    // The first look, three before the runs, one behind them; the sixth is the second look, after which the watch is ended.
    get: async (one) => {
      looks += 1
      if (looks === 6) abort.abort()
      return get(one)
    },
  }
  task = { ...task, composition: { ...task.composition, ports: { ...world.ports, states } } }
  await watchForLogin(task, before, { signal: abort.signal, onFailure: () => undefined })
  expect(runs).toBe(3)
})

test('a record without a kept token needs no run', async () => {
  await afterProof(task)
  expect(runs).toBe(0)
})
