import { inspect } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createClient, restSource, type TokenkeeperClient } from '../../lib/client/index.ts'
import { VirtualClock } from '../../lib/simulators/kit/virtual-clock.ts'
import { type ApiServer, type Scripted, startApi } from './support/api-server.ts'
import { KeptSource } from './support/kept-source.ts'

const API_KEY = 'CANARY-api-key-0123'

let scripted: Scripted
let server: ApiServer
let source: KeptSource
let client: TokenkeeperClient

beforeEach(async () => {
  scripted = { status: 200, body: '{}' }
  server = await startApi(() => scripted)
  source = new KeptSource('upstox/ACC1')
  source.hosts = { UPSTOX_API: server.origin }
  source.publish('2026-11-24T03:30:00+05:30')
  client = createClient({ source, clock: new VirtualClock('2026-11-23T08:00:00+05:30') })
})
afterEach(async () => {
  await client.close()
  await server.close()
})

/** Everything a program could print of a value by accident. */
function shown(value: unknown): string {
  const deep = { depth: 20, showHidden: true, getters: true } as const
  return [inspect(value), inspect(value, deep), String(value), JSON.stringify(value)].join('\n')
}

test('neither a client, nor its token, nor its source shows a token or a key when it is printed', async () => {
  const token = await client.getToken()
  const rest = restSource({ url: server.origin, apiKey: API_KEY, account: 'upstox/ACC1' })
  for (const value of [client, token, rest, createClient({ source: rest })]) {
    expect(shown(value)).not.toContain('CANARY')
  }
  expect(shown(token)).toContain('[secret]')
  await rest.close?.()
})

test('a reply shows nothing of what was sent', async () => {
  const reply = await client.fetch('/x')
  expect(shown(reply)).not.toContain('CANARY')
  await reply.text()
})

test.each([
  ['a cut connection', '/x', 'reset', {}],
  ['a header that cannot be sent', '/x', undefined, { headers: { 'x-mine': 'a\nb' } }],
  ['another host', 'https://example.invalid/?token=CANARY-in-a-query', undefined, {}],
  ['a redirect in circles', '/x?token=CANARY-in-a-query', { status: 302, headers: { location: '/x' } }, {}],
] as const)('an error about %s holds neither token nor query', async (_what, address, reply, init) => {
  if (reply) scripted = reply
  const error = await client.fetch(address, { retries: 0, ...init }).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(Error)
  expect(shown(error)).not.toContain('CANARY')
})

test('an error of the REST interface holds neither key nor token', async () => {
  await server.close()
  const rest = restSource({ url: server.origin, apiKey: API_KEY, account: 'upstox/ACC1' })
  const error = await rest.read().catch((thrown: unknown) => thrown)
  expect(shown(error)).toContain('unreachable')
  expect(shown(error)).not.toContain('CANARY')
  await rest.close?.()
  server = await startApi(() => scripted)
})
