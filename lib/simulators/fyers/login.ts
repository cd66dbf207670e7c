import type { Hono } from 'hono'
import type { Temporal } from 'temporal-polyfill'
import { readLogin, simulatedLoginPage } from '../kit/login-page.ts'
import { simulatedJwt } from '../kit/simulated-token.ts'
import type { SimulatorEnv } from '../kit/simulator.ts'
import type { FyersApp, FyersBehaviour, FyersUser } from './behaviour.ts'

/** What the login needs of the broker it belongs to. */
interface FyersAccounts {
  readonly client: FyersApp
  readonly people: readonly FyersUser[]
  readonly behaviour: Pick<FyersBehaviour, 'automaticLogin' | 'bareRedirect' | 'loginAs' | 'loginRedirectBy'>
  now(): Temporal.Instant
  user(fyId: string): FyersUser | undefined
  authCodeFor(fyId: string, challenge?: string): string
}

const LOGIN_PATH = '/api/v3/generate-authcode'
/** What the page carries along. */
const WISHES = ['client_id', 'redirect_uri', 'response_type', 'state', 'code_challenge'] as const

/**
 * How a person gets an authorization code: the login page's redirect, and the undocumented login steps that scripts
 * replay (lib/brokers/fyers/README.md, Login and Endpoints). `behaviour.loginAs` makes every login end as another
 * user's.
 */
export function addFyersLogin(app: Hono<SimulatorEnv>, simulator: FyersAccounts): void {
  const requestKeys = new Map<string, string>()
  const loginTokens = new Map<string, string>()

  app.get(LOGIN_PATH, (context) => {
    const parameters = lenientQuery(context.req.url)
    const refused = refusalOf(parameters, simulator)
    if (refused) return refused
    const { automaticLogin } = simulator.behaviour
    if (automaticLogin !== undefined) return backWith(parameters, simulator, automaticLogin)
    return page(parameters, simulator)
  })
  app.post(LOGIN_PATH, async (context) => {
    const form = new URLSearchParams(await context.req.text())
    const refused = refusalOf(form, simulator)
    if (refused) return refused
    const login = readLogin(form)
    if ('problem' in login) return page(form, simulator, login.problem)
    if (!login.approved) return cancelled(form)
    if (!simulator.user(login.user)) return page(form, simulator, 'There is no such user')
    return backWith(form, simulator, login.user)
  })

  for (const route of ['send_login_otp', 'send_login_otp_v2']) {
    app.post(`/vagator/v2/${route}`, async (context) => {
      const { fy_id: given } = await context.req.json<{ fy_id: string }>()
      const fyId = route.endsWith('_v2') ? Buffer.from(given, 'base64').toString() : given
      if (!simulator.user(fyId)) return error(-1, 'unknown user')
      return keyFor(fyId)
    })
  }
  app.post('/vagator/v2/verify_otp', async (context) => {
    const { request_key: key, otp } = await context.req.json<{ request_key: string; otp: string }>()
    const fyId = requestKeys.get(key)
    requestKeys.delete(key)
    return fyId && /^\d{6}$/.test(otp) ? keyFor(fyId) : error(-1, 'invalid otp')
  })
  for (const route of ['verify_pin', 'verify_pin_v2']) {
    app.post(`/vagator/v2/${route}`, async (context) => {
      const { request_key: key, identifier } = await context.req.json<{
        request_key: string
        identifier: string
      }>()
      const pin = route.endsWith('_v2') ? Buffer.from(identifier, 'base64').toString() : identifier
      const fyId = requestKeys.get(key)
      requestKeys.delete(key)
      if (!fyId || simulator.user(fyId)?.pin !== pin) return error(-1, 'invalid pin')
      const token = simulatedJwt({ sub: 'login', fy_id: fyId }, { issuedAt: simulator.now() })
      loginTokens.set(token, fyId)
      return Response.json({ s: 'ok', data: { access_token: token } })
    })
  }
  app.post('/api/v3/token', async (context) => {
    const fyId = loginTokens.get((context.req.header('authorization') ?? '').replace('Bearer ', ''))
    if (!fyId) return error(-16, 'Could not authenticate the user')
    const body = await context.req.json<Record<string, string>>()
    const url = loginRedirect(simulator, new URLSearchParams(body), fyId)
    if (simulator.behaviour.loginRedirectBy === 'location') {
      return new Response(null, { status: 308, headers: { location: url } })
    }
    return Response.json({ s: 'ok', Url: url }, { status: 308 })
  })

  function keyFor(fyId: string): Response {
    const key = simulatedJwt({ sub: 'request_key' }, { issuedAt: simulator.now() })
    requestKeys.set(key, fyId)
    return Response.json({ s: 'ok', request_key: key })
  }
}

function refusalOf(wish: URLSearchParams, simulator: FyersAccounts): Response | undefined {
  if (wish.get('client_id') !== simulator.client.clientId) return error(-352, 'Invalid app id')
  if (!URL.canParse(wish.get('redirect_uri') ?? '')) return error(-50, 'Invalid redirect uri')
  return undefined
}

function page(wish: URLSearchParams, simulator: FyersAccounts, problem?: string): Response {
  return simulatedLoginPage({
    title: 'Log in to FYERS (simulated)',
    broker: 'FYERS',
    users: simulator.people.map(({ fyId, name }) => ({ id: fyId, name })),
    action: LOGIN_PATH,
    hidden: Object.fromEntries(WISHES.map((name) => [name, wish.get(name) ?? ''])),
    ...(problem !== undefined && { problem }),
  })
}

function backWith(wish: URLSearchParams, simulator: FyersAccounts, fyId: string): Response {
  return Response.redirect(loginRedirect(simulator, wish, fyId), 302)
}

function cancelled(wish: URLSearchParams): Response {
  const url = new URL(wish.get('redirect_uri') ?? '')
  for (const [name, value] of [
    ['s', 'error'],
    ['code', '-1'],
    ['state', wish.get('state') ?? ''],
  ] as const) {
    url.searchParams.set(name, value)
  }
  return Response.redirect(url, 302)
}

function loginRedirect(simulator: FyersAccounts, wish: URLSearchParams, fyId: string): string {
  const { bareRedirect, loginAs } = simulator.behaviour
  const url = new URL(wish.get('redirect_uri') ?? '')
  if (!bareRedirect) {
    url.searchParams.set('s', 'ok')
    url.searchParams.set('code', '200')
  }
  const challenge = wish.get('code_challenge') || undefined
  url.searchParams.set('auth_code', simulator.authCodeFor(loginAs ?? fyId, challenge))
  url.searchParams.set('state', wish.get('state') ?? '')
  return url.href
}

/** The official SDKs leave redirect_uri unencoded and emit a stray ampersand; FYERS takes both. */
function lenientQuery(url: string): URLSearchParams {
  return new URLSearchParams(url.slice(url.indexOf('?') + 1).replace(/^&/, ''))
}

function error(code: number, message: string): Response {
  return Response.json({ s: 'error', code, message }, { status: 400 })
}
