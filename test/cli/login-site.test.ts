import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Composition } from '../../lib/cli/backend/composition.ts'
import type { Lines } from '../../lib/cli/login/lines.ts'
import { logInAtSite, loginPageFor } from '../../lib/cli/login/site.ts'
import type { LoginTask } from '../../lib/cli/login/task.ts'
import type { Terminal } from '../../lib/cli/terminal/terminal.ts'
import { type LocalServer, startLocalServer } from '../../lib/local/local-server.ts'
import type { AccountId } from '../../lib/model/account-id.ts'
import { verifyLink } from '../../lib/site/login-links.ts'
import { ensureSigningKey, storedSigningKeys } from '../../lib/site/signing-keys.ts'
import { siteApp } from '../../lib/web/app.ts'
import { LoginWorld } from '../support/login-world.ts'
import { restOf } from '../support/rest.ts'

let world: LoginWorld
let account: AccountId
let site: LocalServer
let said: string[]

beforeEach(async () => {
  world = await LoginWorld.open()
  account = await world.loginAccount()
  said = []
  const keys = storedSigningKeys(world.ports.vault, world.clock)
  await ensureSigningKey(world.ports.vault)
  const siteUrl = 'https://tokens.example.invalid'
  const { ports, logins, broker } = world
  const login = { siteUrl, open: false, logins, keys }
  site = await startLocalServer(
    siteApp({ brokers: [broker], ports, timeZone: 'UTC', rest: restOf(world, [broker]), login }),
    0,
  )
})
afterEach(async () => {
  await site.close()
  await world.close()
})

/** A login with the deployed stack, whose site is served here. */
function task(): LoginTask {
  const say = (text = ''): void => void said.push(text)
  const terminal: Partial<Terminal> = {
    json: false,
    print: say,
    note: say,
    address: say,
    style: (_, text) => text,
  }
  const { ports, logins, broker } = world
  const composition = { backend: 'aws', ports, logins, env: {}, home: '/nowhere' } as Partial<Composition>
  return {
    broker,
    account,
    composition: composition as Composition,
    terminal: terminal as Terminal,
    lines: { interactive: false } as Lines,
    opens: false,
    interrupted: new Promise<never>(() => undefined),
  }
}

test('on AWS the way in is the deployed login page, by a link that is signed for the account', async () => {
  const page = await loginPageFor(task(), site.url)
  expect(page?.startsWith(`${site.url}/login?`)).toBe(true)
  const keys = storedSigningKeys(world.ports.vault, world.clock)
  const verdict = await verifyLink(new URL(page ?? '').searchParams, keys, world.clock.now())
  expect(verdict).toMatchObject({ verdict: 'valid', account })
})

test.each([
  ['there is no site', undefined],
  ['the site does not answer', 'http://127.0.0.1:9'],
])('where %s, the login ends at the command line', async (_, siteUrl) => {
  expect(await loginPageFor(task(), siteUrl)).toBeUndefined()
})

test('an account whose app sends browsers elsewhere is logged in at the command line', async () => {
  await world.store(account, { redirect_uri: 'https://trade.example.invalid/redirect-to-app' })
  expect(await loginPageFor(task(), site.url)).toBeUndefined()
  await world.store(account, { redirect_uri: `${site.url}/callback/loginbroker` })
  expect(await loginPageFor(task(), site.url)).toBeDefined()
})

test('the page is waited for: failed logins are told, and the first that works ends it', async () => {
  await world.logIn(account)
  world.clock.advance({ hours: 20 })
  const page = 'https://tokens.example.invalid/login?sig=x'
  const end = logInAtSite(task(), page)
  await world.logIn(account, 'SIM002')
  await expect.poll(() => said.join('\n')).toContain('Still waiting: try again on the page.')
  world.clock.advance({ minutes: 2 })
  await world.logIn(account)
  expect(await end).toMatchObject({ success: true, account, userID: 'SIM001' })
  expect(said).toContain(page)
})
