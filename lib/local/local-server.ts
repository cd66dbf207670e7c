import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { isLoopback } from '../http/allowed-origin.ts'
import { ConfigurationError } from '../tokens/errors.ts'

export interface LocalServer {
  readonly url: string
  close(): Promise<void>
}

/**
 * Serves an app on 127.0.0.1. Requests must name this machine as their host: a page in the user's browser could
 * otherwise reach the service under a name of its own (DNS rebinding). Throws ConfigurationError when the port is taken.
 */
export async function startLocalServer(app: Hono, port: number): Promise<LocalServer> {
  const guarded = new Hono()
  guarded.use(async (context, next) => {
    const host = context.req.header('host') ?? ''
    const url = `http://${host}`
    if (URL.canParse(url) && isLoopback(new URL(url).hostname)) return next()
    return context.json(
      { error: { code: 'wrong_host', message: 'this service answers to localhost only' } },
      421,
    )
  })
  guarded.all('*', (context) => app.fetch(context.req.raw))

  const server = serve({ fetch: guarded.fetch, hostname: '127.0.0.1', port })
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve)
    server.once('error', (error: NodeJS.ErrnoException) => reject(portError(error, port)))
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        if ('closeAllConnections' in server) server.closeAllConnections()
      }),
  }
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
