import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { Hono } from 'hono'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type LocalServer, startLocalServer } from '../../lib/local/local-server.ts'

let server: LocalServer
beforeEach(async () => {
  const app = new Hono()
  app.all('*', (context) => context.text('served'))
  server = await startLocalServer(app, 0)
})
afterEach(() => server.close())

async function asked(method: string): Promise<readonly [number | undefined, string | undefined, string]> {
  const call = request(`${server.url}/login`, { method, headers: { cookie: 'tokenkeeper=CANARY' } }).end()
  const [reply] = (await once(call, 'response')) as [IncomingMessage]
  let body = ''
  for await (const chunk of reply) body += chunk
  return [reply.statusCode, reply.headers.allow, body]
}

test('TRACE is 405 and gives nothing back of what it was sent', async () => {
  expect(await asked('TRACE')).toEqual([405, 'GET, HEAD, POST', ''])
  expect(await asked('POST')).toEqual([200, undefined, 'served'])
})
