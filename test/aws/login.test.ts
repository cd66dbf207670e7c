// biome-ignore lint/plugin: the gap that Zerodha wants between two logins has to pass
import { setTimeout as pause } from 'node:timers/promises'
import { DeleteParameterCommand, SSMClient } from '@aws-sdk/client-ssm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Deployment, PREFIX } from './support/deployment.ts'
import { Browser, type Shown } from './support/deployment-browser.ts'
import { alertsAbout, logOf, record, secretsOf, stored, writtenBy } from './support/deployment-evidence.ts'
import {
  CODE,
  type LoginBrokers,
  PERSON,
  STRANGER,
  startLoginBrokers,
} from './support/deployment-login-brokers.ts'
import { leaksIn } from './support/deployment-secrets.ts'

/** One second lies between two exchanges of an account. */
const ZERODHA_GAP_MS = 1_100

let stack: Deployment<LoginBrokers>
let site: string
/** The person's own, which opened the link of the mail. */
let browser: Browser
/** Somebody else's, which opened it too. */
let other: Browser
let link: string
let loginPage: Shown

beforeAll(async () => {
  stack = await Deployment.make(startLoginBrokers)
  site = stack.output('SiteUrl')
  stack.brokers.zerodha.client.redirectUrl = `${site}/callback/zerodha`
  stack.brokers.upstoxApp.redirectUri = `${site}/callback/upstox`
  await stack.setUp('zerodha', stack.brokers.zerodhaVariables())
  await stack.makeSigningKey()
  browser = new Browser()
  other = new Browser()
})

afterAll(async () => {
  await Promise.all([browser?.close(), other?.close()])
  await stack?.close()
})

/** Presses the button, when the broker's login budget allows the next login. */
async function leaveForZerodha(): Promise<Shown> {
  await pause(ZERODHA_GAP_MS)
  return browser.press(loginPage, '/login/zerodha/start')
}

/** Logs in on the simulated broker's page, as one of its users. */
function logInAt(brokerPage: Shown, user: string, who = browser): Promise<Shown> {
  return who.press(brokerPage, '/connect/login', { user, code: CODE, decision: 'approve' })
}

const lastCallback = (): string => browser.callbacks().at(-1) ?? ''
const exchanges = (): number => stack.brokers.zerodhaServer.count('/session/token')

describe('the message a person gets', () => {
  test('has a link to the deployed site and comes once', async () => {
    expect(await stack.invoke('zerodha', {})).toMatchObject({ results: [{ outcome: 'awaiting_login' }] })
    await stack.invoke('zerodha', {})
    const alerts = await alertsAbout(stack, 'zerodha')
    expect(alerts).toMatchObject([{ Subject: expect.stringMatching(/^Log in: Zerodha/) }])
    const message = JSON.parse(alerts[0]?.Message ?? '{}')
    expect(message).toMatchObject({ version: 1, kind: 'login_needed', account: 'zerodha', broker: 'zerodha' })
    link = String(message.link)
    expect(link.split('?')[0]).toBe(`${site}/login`)
  })
})

describe('the deployed site', () => {
  test('opens the page of the link, which nothing may frame, keep or load from elsewhere', async () => {
    loginPage = await browser.open(link)
    expect(loginPage).toMatchObject({ status: 200, html: expect.stringContaining('Log in at Zerodha') })
    expect(Object.fromEntries(loginPage.headers)).toMatchObject({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'content-security-policy': expect.stringContaining("default-src 'none'"),
    })
    expect(loginPage.headers.get('set-cookie')).toMatch(/; HttpOnly; SameSite=Lax$/)
  })

  test('changes nothing for who only opens links, such as a mail scanner', async () => {
    const before = await record('zerodha')
    const scanner = new Browser()
    await scanner.open(link)
    await scanner.open(link)
    await scanner.close()
    expect(await record('zerodha')).toEqual(before)
  })

  test.each([
    [
      'a link that was changed',
      (address: string) => address.replace('account=zerodha', 'account=upstox'),
      403,
    ],
    ['no link at all', () => `${site}/login`, 403],
    ['the status of tokens, without an API key', () => `${site}/token/status`, 401],
  ])('is closed to %s', async (_, address, status) => {
    const stranger = new Browser()
    expect(await stranger.open(address(link))).toMatchObject({ status })
    await stranger.close()
  })

  test('runs no function for a path there is not', async () => {
    const requests = async () => (await logOf(stack, 'site')).split('"message":"request"').length
    const before = await requests()
    expect(await browser.open(`${site}/.env`)).toMatchObject({ status: 404, html: '{"message":"Not Found"}' })
    expect(await requests()).toBe(before)
  })

  test('takes no form without the cookie of the page it was on', async () => {
    const thief = new Browser()
    expect(await thief.press(loginPage, '/login/zerodha/start')).toMatchObject({ status: 403 })
    await thief.close()
    expect((await record('zerodha'))?.['logins']).toBeUndefined()
  })

  test('says that it is well', async () => {
    const reply = await fetch(stack.siteByPath('/health'))
    expect(await reply.json()).toMatchObject({ status: 'ok', accounts: { total: 1, awaiting_login: 1 } })
  })
})

describe('a login', () => {
  test('leads from the button to the broker, back, and to a proven token in SSM', async () => {
    const brokerPage = await leaveForZerodha()
    expect(brokerPage.url).toContain(`${stack.brokers.zerodhaServer.origin}/connect/login?`)
    const receipt = await logInAt(brokerPage, PERSON.userId)
    expect(lastCallback()).toMatch(/[?&]request_token=.*&state=/)
    expect(receipt).toMatchObject({ status: 200, url: expect.stringMatching(/\/receipt\/zerodha\/[\w-]+$/) })
    expect(receipt.html).toContain('Done: Zerodha')
    expect(receipt.html).toContain(`${PERSON.name}, ${PERSON.userId}`)
    expect(await record('zerodha')).toMatchObject({
      generation: 1,
      userId: PERSON.userId,
      accessToken: { source: 'login', version: 1 },
    })
    const { Value } = (await stored('zerodha/access_token')) ?? {}
    expect(await stack.brokers.zerodhaAccepts(Value)).toBe(true)
    expect((await alertsAbout(stack, 'zerodha')).map(({ Subject }) => Subject)).toEqual([
      expect.stringMatching(/^Log in: Zerodha/),
      expect.stringMatching(/^Solved: Zerodha/),
    ])
  })

  test('was logged by the function of the broker and by the site, each its part', async () => {
    const [broker, page] = [await logOf(stack, 'zerodha'), await logOf(stack, 'site')]
    expect(broker).toMatch(/"message":"login step".*"step":"finish"/)
    expect(broker).toMatch(/"message":"a login ended".*"account":"zerodha".*"success":true/)
    expect(page).toContain('"route":"GET /callback/{broker}","request":')
  })

  test('is not made again by a reload of the callback', async () => {
    const before = { exchanges: exchanges(), token: await stored('zerodha/access_token') }
    const reloaded = await browser.open(lastCallback())
    expect(reloaded.html).toContain('Done: Zerodha')
    expect({ exchanges: exchanges(), token: await stored('zerodha/access_token') }).toEqual(before)
  })

  test('cannot be finished in another browser, nor by a code that is given to somebody', async () => {
    const before = exchanges()
    expect(await other.open(link)).toMatchObject({ status: 200 })
    expect((await other.open(lastCallback())).html).toContain('belongs to another browser')
    const brokerPage = await leaveForZerodha()
    const injected = await logInAt(brokerPage, STRANGER.userId, other)
    expect(injected.url).toBe(`${site}/problem/other_browser`)
    expect(exchanges()).toBe(before)
  })

  test('of the wrong person changes nothing, and says whose login came back', async () => {
    const before = await stored('zerodha/access_token')
    const brokerPage = await leaveForZerodha()
    const receipt = await logInAt(brokerPage, STRANGER.userId)
    expect(receipt.html).toContain('Wrong account: nothing was changed')
    expect(receipt.html).not.toContain(STRANGER.name)
    expect(await stored('zerodha/access_token')).toEqual(before)
    expect(await stack.brokers.zerodhaAccepts(before?.Value)).toBe(true)
  })
})

describe('an approval in the broker’s app', () => {
  let waiting: Shown
  let webhook: string

  beforeAll(async () => {
    const { brokers } = stack
    await stack.setUp('upstox', brokers.upstoxVariables())
    await stack.invoke('upstox', {})
    webhook = await stack.webhookPath('upstox')
    // The simulator's own client knows no `*.localhost`.
    brokers.upstoxApp.notifierUrl = stack.siteByPath(webhook)
    // The user is pinned now; without a token the next run asks a person, whatever day it is.
    await new SSMClient().send(new DeleteParameterCommand({ Name: `${PREFIX}/upstox/access_token` }))
    await stack.invoke('upstox', {})
  })

  test('is asked for from the page', async () => {
    const [alert] = await alertsAbout(stack, 'upstox')
    const page = await browser.open(String(JSON.parse(alert?.Message ?? '{}').link))
    waiting = await browser.press(page, '/login/upstox/approve')
    expect(waiting).toMatchObject({ url: `${site}/waiting/upstox`, status: 200 })
    expect(waiting.html).toContain('Approve in the Upstox app')
    expect(stack.brokers.upstox.approvalRequests).toBe(1)
  })

  test('is not given by who guesses the webhook or posts something else to it', async () => {
    const before = await record('upstox')
    const post = (path: string, body: string) =>
      fetch(stack.siteByPath(path), { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    expect((await post(`${webhook.slice(0, -1)}!`, '{}')).status).toBe(404)
    expect((await post('/webhook/zerodha/x', '{}')).status).toBe(404)
    expect((await post(webhook, '{"access_token":"garbage"}')).status).toBe(200)
    expect((await post(webhook, 'x'.repeat(100_000))).status).toBe(200)
    expect(await record('upstox')).toEqual(before)
  })

  test('posted by the broker publishes a proven token into SSM, and the page says so', async () => {
    expect(await stack.brokers.upstox.approve(PERSON.userId)).toEqual([200])
    const { Value } = (await stored('upstox/access_token')) ?? {}
    expect(Value).toBe(stack.brokers.upstoxTokens.at(-1))
    expect(await record('upstox')).toMatchObject({
      accessToken: { source: 'approval' },
      userId: PERSON.userId,
    })
    expect((await browser.open(waiting.url)).html).toContain('Done: Upstox')
  })
})

describe('a program with an API key', () => {
  let key: string

  beforeAll(async () => {
    const scopes = ['status', 'validate', 'token', 'refresh', 'update'].flatMap((one) => ['--scope', one])
    const made = await stack.tokenkeeper(['keys', 'create', '--name', 'e2e', '--all-accounts', ...scopes])
    key = made.stdout.trim()
  })

  async function ask(path: string, { body, as = key }: { body?: object; as?: string } = {}) {
    const reply = await fetch(stack.siteByPath(path), {
      method: body ? 'POST' : 'GET',
      headers: { authorization: `Bearer ${as}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    })
    return { status: reply.status, body: (await reply.json()) as Record<string, unknown> }
  }

  test('R2.5 gets the published token, ready for the broker; without one it gets nothing', async () => {
    const { Value } = (await stored('zerodha/access_token')) ?? {}
    const { status, body } = await ask('/accounts/zerodha/token')
    expect({ status, ...body }).toMatchObject({
      status: 200,
      access_token: Value,
      authorization: expect.stringMatching(new RegExp(`^token \\S+:${Value}$`)),
      generation: 1,
      live: true,
    })
    for (const path of ['/accounts/zerodha/token', '/token/status', '/docs']) {
      expect((await ask(path, { as: 'nonsense' })).status).toBe(401)
    }
  })

  test('R2.2 R2.3 reads the status, and has the broker’s function prove the token', async () => {
    const { body } = await ask('/token/status')
    expect(body).toMatchObject({ accounts: [{ account: 'upstox' }, { account: 'zerodha' }] })
    const asked = await ask('/accounts/zerodha/token/validate')
    expect(asked).toMatchObject({ status: 200, body: { valid: true, user_id: PERSON.userId } })
  })

  test('R2.4 cannot publish what the broker does not accept', async () => {
    const before = await stored('upstox/access_token')
    const asked = await ask('/accounts/upstox/token/update', {
      body: { access_token: 'SIMULATED.dead.token' },
    })
    expect(asked).toMatchObject({ status: 422, body: { code: 'grant_rejected' } })
    expect(await stored('upstox/access_token')).toEqual(before)
  })

  test('R0.5 R2.5 has the brokers’ functions make sure that tokens are live', async () => {
    const asked = await ask('/accounts/upstox/refresh', { body: {} })
    expect(asked).toMatchObject({ status: 200, body: { outcome: 'fresh', live: true } })
    const all = await ask('/api/integration/tokens/refresh-all', { body: {} })
    expect(all).toMatchObject({ status: 200, body: { success: true, failed: 0, total: 2 } })
  })

  test('is shut out by its revocation, at once', async () => {
    await stack.tokenkeeper(['keys', 'revoke', key.split('_')[1] ?? ''])
    expect(await ask('/token/status')).toMatchObject({ status: 401, body: { code: 'key_revoked' } })
  })
})

test('no code, state, cookie, form token, webhook path or other secret is in anything that was written', async () => {
  const written = await writtenBy(stack)
  expect(Object.values(written).every((outputs) => outputs.length > 0)).toBe(true)
  const ofLogins = {
    ...browser.secrets('the person’s'),
    ...other.secrets('somebody else’s'),
    'the webhook path': (await stack.webhookPath('upstox')).split('/').at(-1) ?? '',
  }
  expect(Object.keys(ofLogins).length).toBeGreaterThan(12)
  const ofBrokers = await secretsOf(stack)
  expect(leaksIn(Object.values(written).flat(), { ...ofBrokers, ...ofLogins })).toEqual([])

  const ours = browser.pages.filter(({ where }) => where.startsWith(`the page ${site}`))
  expect(ours.length).toBeGreaterThan(6)
  expect(leaksIn(ours, ofBrokers)).toEqual([])

  // A link is meant for the mail and for nothing else.
  const signature = new URL(link).searchParams.get('sig') ?? ''
  expect(leaksIn([written.logged, written.recorded, written.replied].flat(), { signature })).toEqual([])
})
