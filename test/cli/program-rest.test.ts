import { afterEach, beforeEach, expect, test } from 'vitest'
import { judge, tokenOfSource } from '../../lib/cli/program/known-token.ts'
import { restSource } from '../../lib/client/index.ts'
import { type LocalServer, startLocalServer } from '../../lib/local/local-server.ts'
import type { AccountId } from '../../lib/model/account-id.ts'
import type { changed } from '../../lib/model/account-state.ts'
import { RestWorld } from '../rest/support/rest-world.ts'

let world: RestWorld
let server: LocalServer
let account: AccountId

beforeEach(async () => {
  world = await RestWorld.open()
  server = await startLocalServer(world.app, 0)
  account = await world.fyersAccount()
})
afterEach(async () => {
  await server.close()
  await world.close()
})

/** What `check` says to whoever holds a key that may read the token and no more. */
async function checked() {
  const apiKey = await world.key(['token'])
  const source = restSource({ url: server.url, apiKey, account })
  try {
    const now = world.clock.now()
    return await judge(await tokenOfSource(source, world.clock), { until: undefined, now })
  } finally {
    await source.close?.()
  }
}

async function change(changes: Parameters<typeof changed>[1]): Promise<void> {
  await world.change(account, changes)
}

test('I9 a key that may only read the token is told when it is unproven, and when it was refused', async () => {
  expect(await checked()).toMatchObject({ good: true, verdict: 'live' })
  await change({ doubt: { since: world.clock.now(), by: 'login' } })
  expect(await checked()).toMatchObject({
    exitCode: 3,
    code: 'unproven',
    verdict: expect.stringMatching(/unproven since Mon 23 Nov \d\d:\d\d IST/),
  })
  const { accessToken } = await world.record(account)
  await change({ doubt: undefined, refusedVersion: accessToken?.version })
  expect(await checked()).toMatchObject({
    exitCode: 3,
    code: 'expired',
    verdict: expect.stringContaining('the broker has refused it'),
  })
})

test('one whose time is over is told as expired, not as refused', async () => {
  world.clock.advance({ hours: 24 })
  expect(await checked()).toMatchObject({
    exitCode: 3,
    verdict: expect.stringContaining('expired Tue 24 Nov'),
  })
})
