import type { Hono } from 'hono'
import { readLogin, simulatedLoginPage } from '../kit/login-page.ts'
import type { SimulatorEnv } from '../kit/simulator.ts'
import type { ZerodhaApp, ZerodhaBehaviour } from './behaviour.ts'
import { kiteFailure, type ZerodhaUser } from './replies.ts'

/** What the page needs of the broker it belongs to. */
interface ZerodhaAccounts {
  readonly client: ZerodhaApp
  readonly users: readonly ZerodhaUser[]
  readonly behaviour: Pick<ZerodhaBehaviour, 'automaticLogin'>
  user(userId: string): ZerodhaUser | undefined
  requestTokenFor(userId: string): string
}

const PATH = '/connect/login'

/**
 * Kite's login page (lib/brokers/zerodha/README.md, Login): who logs in goes to the address registered with the app,
 * whatever the link says, with a request token and with the link's `redirect_params` appended.
 */
export function addZerodhaLogin(app: Hono<SimulatorEnv>, simulator: ZerodhaAccounts): void {
  app.get(PATH, (context) => {
    const wish = new URL(context.req.url).searchParams
    const refused = refusalOf(wish, simulator)
    if (refused) return refused
    const { automaticLogin } = simulator.behaviour
    if (automaticLogin !== undefined) return backWith(wish, simulator, loggedIn(simulator, automaticLogin))
    return page(wish, simulator)
  })

  app.post(PATH, async (context) => {
    const form = await context.req.formData()
    const wish = new URLSearchParams()
    for (const name of ['v', 'api_key', 'redirect_params']) wish.set(name, String(form.get(name) ?? ''))
    const refused = refusalOf(wish, simulator)
    if (refused) return refused
    const login = readLogin(form)
    if ('problem' in login) return page(wish, simulator, login.problem)
    if (!login.approved) return backWith(wish, simulator, { action: 'login', status: 'cancelled' })
    if (!simulator.user(login.user)) return page(wish, simulator, 'There is no such user')
    return backWith(wish, simulator, loggedIn(simulator, login.user))
  })
}

function refusalOf(wish: URLSearchParams, { client }: ZerodhaAccounts): Response | undefined {
  if (wish.get('v') !== '3') return kiteFailure(400, 'InputException', 'Invalid version')
  if (wish.get('api_key') !== client.apiKey) return kiteFailure(400, 'InputException', 'Invalid `api_key`.')
  return undefined
}

function page(wish: URLSearchParams, simulator: ZerodhaAccounts, problem?: string): Response {
  return simulatedLoginPage({
    title: 'Log in to Kite (simulated)',
    broker: 'Zerodha',
    users: simulator.users.map(({ userId, name }) => ({ id: userId, name })),
    action: PATH,
    hidden: Object.fromEntries(wish),
    ...(problem !== undefined && { problem }),
  })
}

function loggedIn(simulator: ZerodhaAccounts, userId: string): Record<string, string> {
  return { request_token: simulator.requestTokenFor(userId), action: 'login', status: 'success' }
}

function backWith(
  wish: URLSearchParams,
  { client }: ZerodhaAccounts,
  answer: Readonly<Record<string, string>>,
): Response {
  const url = new URL(client.redirectUrl)
  const ours = new URLSearchParams(wish.get('redirect_params') ?? '')
  for (const [name, value] of [...Object.entries(answer), ...ours]) url.searchParams.append(name, value)
  return Response.redirect(url, 302)
}
