import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FyersSimulator } from '../../../lib/simulators/fyers/fyers-simulator.ts'
import { IiflSimulator } from '../../../lib/simulators/iifl/iifl-simulator.ts'
import { readLogin, SIMULATED_CODE, simulatedLoginPage } from '../../../lib/simulators/kit/login-page.ts'
import type { Simulator } from '../../../lib/simulators/kit/simulator.ts'
import { type SimulatorServer, startSimulator } from '../../../lib/simulators/kit/simulator-server.ts'
import { VirtualClock } from '../../../lib/simulators/kit/virtual-clock.ts'
import { UpstoxSimulator } from '../../../lib/simulators/upstox/upstox-simulator.ts'
import { ONE, TWO } from '../../brokers/iifl/iifl-fixture.ts'

const BANNER = 'SIMULATED BROKER — nothing here is real'
const CALLBACK = 'https://tokens.example.invalid/callback?x=1'
const STATE = 'st4te&<"'
const BROWSER = { 'user-agent': 'Mozilla/5.0 (simulated person)' }

interface Site {
  readonly name: string
  readonly simulator: (clock: VirtualClock) => Simulator & { behaviour: { automaticLogin?: string } }
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  /** The field that names the app. */
  readonly app: string
  readonly user: string
  readonly others: readonly string[]
  /** The parameter that brings the code. */
  readonly code: string
  /** What comes back when the person cancels. */
  readonly cancelled: Readonly<Record<string, string>>
}

const SITES: readonly Site[] = [
  {
    name: 'FYERS',
    simulator: (clock) =>
      new FyersSimulator(clock, { clientId: 'ABCDEFGH12-100', secret: 'S3CRET' }, [
        { fyId: 'XX00001', name: 'SIM USER ONE', pin: '0412' },
        { fyId: 'XX00002', name: 'SIM USER TWO', pin: '9999' },
      ]),
    path: '/api/v3/generate-authcode',
    query: {
      client_id: 'ABCDEFGH12-100',
      redirect_uri: CALLBACK,
      response_type: 'code',
      state: STATE,
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    },
    app: 'client_id',
    user: 'XX00001',
    others: ['XX00002'],
    code: 'auth_code',
    cancelled: { x: '1', s: 'error', code: '-1', state: STATE },
  },
  {
    name: 'Upstox',
    simulator: (clock) =>
      new UpstoxSimulator(clock, { clientId: 'sim-api-key', secret: 'S3CRET', redirectUri: CALLBACK }, [
        { userId: 'SIM001', name: 'SIM USER ONE' },
      ]),
    path: '/v2/login/authorization/dialog',
    query: { client_id: 'sim-api-key', redirect_uri: CALLBACK, response_type: 'code', state: STATE },
    app: 'client_id',
    user: 'SIM001',
    others: [],
    code: 'code',
    cancelled: { x: '1', error: 'access_denied', state: STATE },
  },
  {
    name: 'IIFL',
    simulator: (clock) => new IiflSimulator(clock, [ONE, { ...TWO, appKey: ONE.appKey }]),
    path: '/',
    query: {
      appkey: ONE.appKey,
      redirecturl: `${CALLBACK}&${new URLSearchParams({ state: STATE })}`,
    },
    app: 'appkey',
    user: ONE.clientId,
    others: [TWO.clientId],
    code: 'authCode',
    cancelled: { x: '1', state: STATE },
  },
]

describe.each(SITES)('the login page of the simulated $name', (site) => {
  let simulator: ReturnType<Site['simulator']>
  let server: SimulatorServer

  beforeEach(async () => {
    const clock = new VirtualClock('2026-11-23T08:00:00+05:30')
    simulator = site.simulator(clock)
    server = await startSimulator(simulator, { clock })
  })
  afterEach(() => server.close())

  const open = (query: Record<string, string> = site.query): Promise<Response> =>
    fetch(`${server.origin}${site.path}?${new URLSearchParams(query)}`, {
      headers: BROWSER,
      redirect: 'manual',
    })
  const press = (fields: Record<string, string>): Promise<Response> =>
    fetch(server.origin + site.path, {
      method: 'POST',
      headers: BROWSER,
      body: new URLSearchParams({ ...site.query, user: site.user, code: SIMULATED_CODE, ...fields }),
      redirect: 'manual',
    })

  test('says that nothing here is real, and has a labelled field for user and code', async () => {
    const reply = await open()
    expect(reply.status).toBe(200)
    expect(reply.headers.get('content-type')).toBe('text/html; charset=utf-8')
    const page = await reply.text()
    expect(page).toContain(BANNER)
    expect(page).toContain('<html lang="en">')
    for (const name of ['user', 'code']) {
      expect(page).toMatch(new RegExp(`<label for="${name}">\\S`))
      expect(page).toMatch(new RegExp(`<(select|input) id="${name}" name="${name}"`))
    }
    for (const user of [site.user, ...site.others]) expect(page).toContain(`<option value="${user}">`)
    expect(page).toContain('<button name="decision" value="approve">Log in</button>')
    expect(page).toContain('<button name="decision" value="refuse">Cancel</button>')
    expect(page).toContain(SIMULATED_CODE)
  })

  test('carries along what it was asked for, escaped', async () => {
    expect(await hiddenOf(await open())).toEqual(site.query)
  })

  test.each([
    ['a wrong code', { code: '000000', decision: 'approve' }, 'Wrong code'],
    ['no code', { code: '', decision: 'approve' }, 'Wrong code'],
    ['a user there is none of', { user: 'NOBODY', decision: 'approve' }, 'no such user'],
    ['no user', { user: '', decision: 'approve' }, 'Choose who'],
  ])('asks again after %s, and forgets nothing', async (_, fields, problem) => {
    const reply = await press(fields)
    expect(reply.status).toBe(200)
    expect(await reply.clone().text()).toMatch(new RegExp(`<p role="alert">[^<]*${problem}`))
    expect(await hiddenOf(reply)).toEqual(site.query)
  })

  test('sends whoever logs in back with a code and our state', async () => {
    const reply = await press({ decision: 'approve' })
    expect(reply.status).toBe(302)
    const back = new URL(reply.headers.get('location') ?? '')
    expect(back.href.startsWith('https://tokens.example.invalid/callback?x=1')).toBe(true)
    expect(back.searchParams.get(site.code)).toMatch(/^\S{6,}$/)
    expect(back.searchParams.getAll('state')).toEqual([STATE])
  })

  test('sends whoever cancels back without a code, and asks for none to cancel', async () => {
    const reply = await press({ decision: 'refuse', code: '' })
    expect(reply.status).toBe(302)
    const back = new URL(reply.headers.get('location') ?? '')
    expect(Object.fromEntries(back.searchParams)).toEqual(site.cancelled)
  })

  test.each(['GET', 'POST'])('knows no other app by %s', async (method) => {
    const other = { ...site.query, [site.app]: 'OTHER-100' }
    const reply = method === 'GET' ? await open(other) : await press({ ...other, decision: 'approve' })
    expect(reply.status).toBeGreaterThanOrEqual(400)
    expect(reply.headers.get('location')).toBeNull()
  })

  test('is skipped where somebody is logged in there already', async () => {
    simulator.behaviour.automaticLogin = site.user
    const reply = await open()
    expect(reply.status).toBe(302)
    expect(new URL(reply.headers.get('location') ?? '').searchParams.has(site.code)).toBe(true)
  })
})

test('a name that is markup is shown as text', async () => {
  const page = await simulatedLoginPage({
    title: 'T',
    broker: 'B',
    users: [{ id: '"><i>', name: '<script>alert(1)</script>' }],
    action: '/a"b',
    hidden: { state: '"><b>' },
    problem: '<u>',
  }).text()
  expect(page).not.toMatch(/<(script|i|b|u)>/)
  expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
  expect(page).toContain('action="/a&quot;b"')
})

test.each([
  [
    { user: 'U', code: SIMULATED_CODE, decision: 'approve' },
    { user: 'U', approved: true },
  ],
  [
    { user: 'U', code: SIMULATED_CODE },
    { user: 'U', approved: true },
  ],
  [
    { user: 'U', decision: 'refuse' },
    { user: 'U', approved: false },
  ],
  [{ user: 'U', code: '123457' }, { problem: expect.stringContaining(SIMULATED_CODE) }],
  [{ code: SIMULATED_CODE }, { problem: 'Choose who logs in' }],
])('%j is read as %j', (form, read) => {
  expect(readLogin(new URLSearchParams(form as Record<string, string>))).toEqual(read)
})

/** The hidden fields as a browser reads them. */
async function hiddenOf(reply: Response): Promise<Record<string, string>> {
  const page = await reply.text()
  const plain = (text = ''): string =>
    text
      .replaceAll('&quot;', '"')
      .replaceAll('&#39;', "'")
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&amp;', '&')
  const fields = [...page.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)]
  return Object.fromEntries(fields.map(([, name, value]) => [plain(name), plain(value)]))
}
