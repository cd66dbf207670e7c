import type { Hono } from 'hono'
import { readLogin, simulatedLoginPage } from '../kit/login-page.ts'
import type { SimulatorEnv } from '../kit/simulator.ts'
import type { UpstoxApp, UpstoxBehaviour } from './behaviour.ts'
import { type UpstoxUser, upstoxFailure } from './replies.ts'

/** What the dialog needs of the broker it belongs to. */
interface UpstoxAccounts {
  readonly client: UpstoxApp
  readonly people: readonly UpstoxUser[]
  readonly behaviour: Pick<UpstoxBehaviour, 'automaticLogin' | 'loginAs'>
  authCodeFor(userId: string): string
}

const PATH = '/v2/login/authorization/dialog'
/** What the page carries along. */
const WISHES = ['client_id', 'redirect_uri', 'response_type', 'state'] as const

/**
 * Upstox' login dialog (lib/brokers/upstox/README.md, Endpoints): the app and its redirect URI must be the registered
 * ones, to the character.
 */
export function addUpstoxDialog(app: Hono<SimulatorEnv>, simulator: UpstoxAccounts): void {
  app.get(PATH, (context) => {
    const wish = new URL(context.req.url).searchParams
    const refused = refusalOf(wish, simulator)
    if (refused) return refused
    const { automaticLogin } = simulator.behaviour
    if (automaticLogin !== undefined) return backWith(wish, { code: codeFor(simulator, automaticLogin) })
    return page(wish, simulator)
  })
  app.post(PATH, async (context) => {
    const form = new URLSearchParams(await context.req.text())
    const refused = refusalOf(form, simulator)
    if (refused) return refused
    const login = readLogin(form)
    if ('problem' in login) return page(form, simulator, login.problem)
    if (!login.approved) return backWith(form, { error: 'access_denied' })
    if (!simulator.people.some(({ userId }) => userId === login.user)) {
      return page(form, simulator, 'There is no such user')
    }
    return backWith(form, { code: codeFor(simulator, login.user) })
  })
}

function codeFor(simulator: UpstoxAccounts, userId: string): string {
  return simulator.authCodeFor(simulator.behaviour.loginAs ?? userId)
}

function refusalOf(wish: URLSearchParams, { client }: UpstoxAccounts): Response | undefined {
  if (wish.get('client_id') === client.clientId && wish.get('redirect_uri') === client.redirectUri)
    return undefined
  return upstoxFailure(401, 'UDAPI100068', "Check your 'client_id' and 'redirect_uri'")
}

function page(wish: URLSearchParams, simulator: UpstoxAccounts, problem?: string): Response {
  return simulatedLoginPage({
    title: 'Log in to Upstox (simulated)',
    broker: 'Upstox',
    users: simulator.people.map(({ userId, name }) => ({ id: userId, name })),
    action: PATH,
    hidden: Object.fromEntries(WISHES.map((name) => [name, wish.get(name) ?? ''])),
    ...(problem !== undefined && { problem }),
  })
}

function backWith(wish: URLSearchParams, answer: Readonly<Record<string, string>>): Response {
  const url = new URL(wish.get('redirect_uri') ?? '')
  for (const [name, value] of Object.entries(answer)) url.searchParams.set(name, value)
  const state = wish.get('state')
  if (state) url.searchParams.set('state', state)
  return Response.redirect(url, 302)
}
