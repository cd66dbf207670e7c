import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { isLoopback } from '../http/allowed-origin.ts'
import { ALLOWED_METHODS, isRefusedMethod } from '../http/refused-methods.ts'
import { ConfigurationError } from '../model/errors.ts'

/** Milliseconds for replies under way to arrive; a page that says "done" may be one of them. */
const CLOSING_MS = 500

/** A server on this machine. `close` resolves when all its connections are closed. */
export interface LocalServer {
  readonly url: string
  close(): Promise<void>
}

/** A server that listens before its app is made, since the app may have to know the address. */
export interface OpenedServer extends LocalServer {
  /** Serves `app` from now on; requests that came before have waited for it. */
  answerWith(app: Hono): void
}

export interface LocalServerOptions {
  /**
   * Another host name to answer to: that of a tunnel or a proxy in front of it. @default - this machine's
   * names only
   */
  readonly publicHost?: string | undefined
  /** Headers on every reply. @default - none */
  readonly headers?: Readonly<Record<string, string>>
}

/** Serves an app on 127.0.0.1. Throws as {@link openLocalServer} does. */
export async function startLocalServer(app: Hono, port: number): Promise<LocalServer> {
  const server = await openLocalServer(port)
  server.answerWith(app)
  return server
}

/**
 * Listens on 127.0.0.1. The Host header of a request must name this machine; otherwise a page in the user's
 * browser could reach the service under its own name (DNS rebinding). Throws ConfigurationError where the
 * port is taken or not open to ordinary users.
 */
export async function openLocalServer(
  port: number,
  { publicHost, headers = {} }: LocalServerOptions = {},
): Promise<OpenedServer> {
  const { promise: served, resolve: answerWith } = Promise.withResolvers<Hono>()
  const guarded = new Hono()
  guarded.use(async (context, next) => {
    if (isRefusedMethod(context.req.method)) return context.body(null, 405, { allow: ALLOWED_METHODS })
    const host = context.req.header('host') ?? ''
    const url = `http://${host}`
    if (host === publicHost || (URL.canParse(url) && isLoopback(new URL(url).hostname))) {
      await next()
      for (const [name, value] of Object.entries(headers)) context.header(name, value)
      return undefined
    }
    return context.json(
      {
        error: {
          code: 'wrong_host',
          message: 'this service answers to localhost only',
          fix: `open ${addressOf(server)}${context.req.path} on the machine it runs on`,
        },
      },
      421,
    )
  })
  guarded.all('*', async (context) => (await served).fetch(context.req.raw, context.env))

  const server = serve({ fetch: guarded.fetch, hostname: '127.0.0.1', port })
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve)
    server.once('error', (error: NodeJS.ErrnoException) => reject(portError(error, port)))
  })
  return {
    url: addressOf(server),
    answerWith,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        if (!('closeAllConnections' in server)) return
        server.closeIdleConnections()
        setTimeout(() => server.closeAllConnections(), CLOSING_MS).unref()
      }),
  }
}

function addressOf(server: ReturnType<typeof serve>): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function portError(error: NodeJS.ErrnoException, port: number): Error {
  if (error.code === 'EADDRINUSE') {
    return new ConfigurationError(
      `port ${port} is taken by another program, perhaps by another tokenkeeper serve`,
      {
        fix: `stop that program, or choose another port: tokenkeeper serve --port ${port + 1}`,
      },
    )
  }
  if (error.code === 'EACCES') {
    return new ConfigurationError(`port ${port} is not open to ordinary users`, {
      fix: 'choose one above 1023',
    })
  }
  return error
}
