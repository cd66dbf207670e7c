import { Hono } from 'hono'
import { html } from 'hono/html'
import { isLoopback } from '../../http/allowed-origin.ts'
import { type LocalServer, startLocalServer } from '../../local/local-server.ts'
import { Secret } from '../../model/secrets/secret.ts'
import { loginIdOf } from '../../tokens/login/attempts.ts'
import { type LoginEnd, sentencesOf } from './end.ts'

/** A port a program may listen on without being anybody special. */
const FIRST_FREE_PORT = 1024

export interface ListenerOptions {
  /** Where the broker sends the browser, as {@link loopbackPort} knows it. */
  readonly redirectUri: string
  readonly loginId: string
  /** Ends the login; never throws. */
  readonly finish: (query: string) => Promise<LoginEnd>
}

/** The port of this machine a redirect URI leads to; `undefined` where no listener of ours could be. */
export function loopbackPort(redirectUri: string): number | undefined {
  const { protocol, hostname, port } = new URL(redirectUri)
  // "localhost" is tried as 127.0.0.1 by browsers, too; ::1 alone is not.
  if (protocol !== 'http:' || !isLoopback(hostname) || hostname === '[::1]') return undefined
  return Number(port) >= FIRST_FREE_PORT ? Number(port) : undefined
}

/**
 * Waits on 127.0.0.1 for the browser that comes back from the broker with the state of one login. Any other request is
 * turned away and changes nothing. Throws ConfigurationError when the port is taken.
 */
export async function listenForCallback(options: ListenerOptions): Promise<LocalServer> {
  const { redirectUri, loginId, finish } = options
  const app = new Hono()
  app.use(async (context, next) => {
    await next()
    context.header('cache-control', 'no-store')
    context.header('referrer-policy', 'no-referrer')
    context.header('x-content-type-options', 'nosniff')
    context.header('content-security-policy', "default-src 'none'; frame-ancestors 'none'")
    context.header('connection', 'close')
  })
  app.get('*', async (context) => {
    const { pathname, search, searchParams } = new URL(context.req.url)
    if (pathname !== new URL(redirectUri).pathname)
      return context.text('There is nothing here. Go back to the terminal, which waits for the login.', 404)
    // The router takes HEAD for GET, and whoever only looks must not spend a code.
    if (context.req.raw.method !== 'GET') return context.body(null, 405)
    const state = searchParams.get('state') ?? ''
    if (loginIdOf(state) !== loginId) {
      const says =
        'This address does not belong to the login that the terminal waits for. Nothing was changed.'
      return context.html(page('Not this login', says), 400)
    }
    new Secret(state)
    const end = await finish(search.slice(1))
    return context.html(
      page(end.success ? 'Done' : 'Not logged in', sentencesOf(end)),
      end.success ? 200 : 400,
    )
  })
  return startLocalServer(app, loopbackPort(redirectUri) ?? 0)
}

/** A few words; the terminal has the rest. */
function page(title: string, sentence: string) {
  return html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <title>${title}</title>
  </head>
  <body>
    <main>
      <h1>${title}</h1>
      <p>${sentence}</p>
      <p>You can close this page and go back to the terminal.</p>
    </main>
  </body>
</html>`
}
