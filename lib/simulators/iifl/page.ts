import type { Hono } from 'hono'
import { html } from 'hono/html'
import { readLogin, simulatedLoginPage } from '../kit/login-page.ts'
import { simulatedPage } from '../kit/login-page-frame.ts'
import type { SimulatorEnv } from '../kit/simulator.ts'
import type { IiflBehaviour, IiflUser } from './behaviour.ts'

/** What the page needs of the broker it belongs to. */
interface IiflAccounts {
  readonly behaviour: Pick<IiflBehaviour, 'automaticLogin' | 'loginAs' | 'callback'>
  usersOf(appKey: string): readonly IiflUser[]
  authCodeFor(clientId: string): { readonly code: string; readonly owner: string }
}

/** The spellings sources differ in; IIFL is taken to know them all. */
const REDIRECT_PARAMETERS = ['redirecturl', 'redirectUrl', 'redirect_url'] as const

/**
 * IIFL's login page (lib/brokers/iifl/README.md, Login): the redirect carries auth code and client id, or the page
 * shows the code.
 */
export function addIiflLoginPage(app: Hono<SimulatorEnv>, simulator: IiflAccounts): void {
  app.get('/', (context) => {
    const wish = new URL(context.req.url).searchParams
    if (!knows(simulator, wish)) return unknownApp()
    const { automaticLogin } = simulator.behaviour
    return automaticLogin === undefined ? page(wish, simulator) : backWith(wish, simulator, automaticLogin)
  })
  app.post('/', async (context) => {
    const form = new URLSearchParams(await context.req.text())
    if (!knows(simulator, form)) return unknownApp()
    const login = readLogin(form)
    if ('problem' in login) return page(form, simulator, login.problem)
    const target = redirectOf(form)
    if (!login.approved) return target ? Response.redirect(target, 302) : page(form, simulator)
    if (!simulator.usersOf(form.get('appkey') ?? '').some(({ clientId }) => clientId === login.user)) {
      return page(form, simulator, 'There is no such user')
    }
    return backWith(form, simulator, login.user)
  })
}

function knows(simulator: IiflAccounts, wish: URLSearchParams): boolean {
  return simulator.usersOf(wish.get('appkey') ?? '').length > 0
}

function unknownApp(): Response {
  return simulatedPage('IIFL (simulated)', html`<p role="alert">Unknown app key</p>`, 400)
}

function redirectOf(wish: URLSearchParams): string | undefined {
  return REDIRECT_PARAMETERS.map((name) => wish.get(name)).find((value) => value) ?? undefined
}

function page(wish: URLSearchParams, simulator: IiflAccounts, problem?: string): Response {
  const redirect = redirectOf(wish)
  return simulatedLoginPage({
    title: 'Log in to IIFL (simulated)',
    broker: 'IIFL',
    users: simulator.usersOf(wish.get('appkey') ?? '').map(({ clientId, name }) => ({ id: clientId, name })),
    action: '/',
    hidden: {
      appkey: wish.get('appkey') ?? '',
      ...(redirect !== undefined && { redirecturl: redirect }),
    },
    ...(problem !== undefined && { problem }),
  })
}

function backWith(wish: URLSearchParams, simulator: IiflAccounts, clientId: string): Response {
  const { code, owner } = simulator.authCodeFor(simulator.behaviour.loginAs ?? clientId)
  const target = redirectOf(wish)
  if (target === undefined) {
    return simulatedPage('Logged in at IIFL (simulated)', html`<p>authCode: <code>${code}</code></p>`)
  }
  const names = simulator.behaviour.callback
  const callback = new URL(target)
  callback.searchParams.set(names.code, code)
  callback.searchParams.set(names.clientId, owner)
  return Response.redirect(callback, 302)
}
