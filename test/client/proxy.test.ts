import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { createClient, type TokenkeeperClient } from '../../lib/client/index.ts'
import { VirtualClock } from '../../lib/simulators/kit/virtual-clock.ts'
import { type CountingProxy, type Listening, proxyTo, tlsInFrontOf } from '../support/network.ts'
import { privateAuthority } from '../support/private-authority.ts'
import { type ApiServer, startApi } from './support/api-server.ts'
import { KeptSource } from './support/kept-source.ts'

const HOST = 'api.broker.invalid'
const { authority, server: certified } = privateAuthority(HOST)
const usual = getCACertificates('default')

let server: ApiServer
let tls: Listening
let proxy: CountingProxy
let client: TokenkeeperClient

beforeAll(async () => {
  server = await startApi(() => ({ status: 200, body: '{"ok":true}' }))
  tls = await tlsInFrontOf(server.origin, certified)
})
afterAll(async () => {
  await tls.close()
  await server.close()
})

beforeEach(async () => {
  proxy = await proxyTo(tls.port)
  process.env['https_proxy'] = `http://127.0.0.1:${proxy.port}`
  const source = new KeptSource('upstox/ACC1')
  source.hosts = { UPSTOX_API: `https://${HOST}` }
  source.publish()
  client = createClient({ source, clock: new VirtualClock('2026-11-23T08:00:00+05:30') })
})
afterEach(async () => {
  delete process.env['https_proxy']
  setDefaultCACertificates(usual)
  await client.close()
  await proxy.close()
})

test('a program’s calls go through the proxy of its environment', async () => {
  setDefaultCACertificates([...usual, authority])
  expect(await (await client.fetch('/v2/user/profile')).json()).toEqual({ ok: true })
  expect(proxy.asked).toMatchObject([{ method: 'CONNECT', target: `${HOST}:443` }])
})

test('a certificate of an unknown authority is told with the variable that makes it known', async () => {
  const seen = server.received.length
  await expect(client.fetch('/v2/order/place', { method: 'POST', json: {} })).rejects.toMatchObject({
    code: 'network',
    sent: false,
    message: expect.stringContaining('UNABLE_TO_VERIFY_LEAF_SIGNATURE'),
    fix: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
  })
  expect(server.received.length).toBe(seen)
})

test('a proxy that declines is told as such, and is not asked over and over', async () => {
  proxy.answer = 403
  await expect(client.fetch('/v2/user/profile')).rejects.toMatchObject({
    sent: false,
    message: expect.stringContaining('PROXY_ANSWERED_403'),
    fix: expect.stringContaining('HTTPS_PROXY'),
  })
  expect(proxy.asked).toHaveLength(1)
})
