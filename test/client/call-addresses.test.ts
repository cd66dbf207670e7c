import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { brokerNamed } from '../../lib/brokers/index.ts'
import { AllowedUrls } from '../../lib/client/calls/allowed-urls.ts'
import { CallError, createClient, type TokenkeeperClient } from '../../lib/client/index.ts'
import type { VirtualClock } from '../../lib/simulators/kit/virtual-clock.ts'
import { thrownBy } from '../support/thrown.ts'
import { ApiWorld, OK } from './support/api-scene.ts'
import { type ApiServer, startApi } from './support/api-server.ts'
import { KeptSource } from './support/kept-source.ts'

let api: ApiWorld
let clock: VirtualClock
let source: KeptSource
let server: ApiServer
let client: TokenkeeperClient

beforeEach(async () => {
  api = await ApiWorld.open()
  ;({ clock, source, server, client } = api)
})
afterEach(() => api.close())

const thrown = (work: Promise<unknown>) => thrownBy(work, Error)

describe('a token goes to its broker and nowhere else', () => {
  test.each([
    'https://example.invalid/v2/user/profile',
    'http://api.upstox.com/v2/user/profile',
    'https://api.upstox.com.example.invalid/',
    'https://api.upstox.com:8443/',
    'https://user:password@api.upstox.com/',
    'https://user@api.upstox.com/',
    'https://token-service.example.invalid/',
    'http://169.254.169.254/latest/meta-data/',
    'file:///etc/passwd',
  ])('not to %s', async (address) => {
    source.hosts = {}
    const real = createClient({ source, clock })
    const error = await thrown(real.fetch(address))
    expect(error).toBeInstanceOf(CallError)
    expect(error).toMatchObject({ code: 'host_not_allowed', actor: 'developer', sent: false })
    await real.close()
  })

  test.each([
    ['upstox', 'https://api.upstox.com/v2/user/profile'],
    ['upstox', 'https://api-hft.upstox.com/v2/order/place'],
    ['fyers', 'https://api-t1.fyers.in/data/quotes'],
    ['iifl', 'https://api.iiflcapital.com/v1/profile'],
    ['zerodha', 'https://api.kite.trade/user/profile'],
    ['iifl-xts', 'https://ttblaze.iifl.com/interactive/user/profile'],
  ])('at %s to %s', (broker, address) => {
    expect(new AllowedUrls({ broker: brokerNamed(broker) }).resolve(address).href).toBe(address)
  })

  test.each([
    ['iifl', 'https://idaas.iiflsecurities.com/'],
    ['iifl', 'https://markets.iiflcapital.com/'],
    ['zerodha', 'https://kite.zerodha.com/'],
    ['pos-connector', 'https://example.invalid/'],
  ])('at %s not to the login at %s', (broker, address) => {
    expect(() => new AllowedUrls({ broker: brokerNamed(broker) }).resolve(address)).toThrow(CallError)
  })

  test.each(['', 'v2/user/profile', 'not a url', '//example.invalid/x'])(
    '"%s" is no address',
    async (address) => {
      expect(await thrown(client.fetch(address))).toMatchObject({ code: 'invalid_call' })
    },
  )

  test('nor to the token service of the same adapter', async () => {
    const service = await startApi(() => OK)
    source.hosts = { ...source.hosts, TOKEN_SERVICE: service.origin }
    const caller = createClient({ source, clock })
    expect(await thrown(caller.fetch(`${service.origin}/accounts/ACC1/token`))).toMatchObject({
      code: 'host_not_allowed',
    })
    await caller.close()
    await service.close()
  })

  test('a base URL that is neither https nor allowed is refused at once', () => {
    const pos = new KeptSource('pos-connector')
    for (const baseUrl of ['http://pos.example.invalid', 'https://169.254.169.254', 'ftp://x', 'nonsense']) {
      expect(() => createClient({ source: pos, baseUrl })).toThrow('baseUrl')
    }
    expect(() =>
      createClient({ source: pos, baseUrl: 'http://pos.lan/prefix/', allowHttpHosts: ['pos.lan'] }),
    ).not.toThrow()
  })

  test('a redirect to another host is handed out and not followed', async () => {
    const other = await startApi(() => OK)
    api.answer = () => ({ status: 302, headers: { location: `${other.origin}/elsewhere` } })
    const reply = await client.fetch('/x')
    expect(reply.status).toBe(302)
    expect(reply.headers.get('location')).toBe(`${other.origin}/elsewhere`)
    expect(other.received).toEqual([])
    await other.close()
  })

  test('a redirect within the host is followed with the token, unless the caller wants to see it', async () => {
    api.answer = ({ path }) => (path === '/x' ? { status: 307, headers: { location: '/y' } } : OK)
    const reply = await client.fetch('/x')
    expect(reply).toMatchObject({ status: 200, redirected: true, url: `${server.origin}/y` })
    expect(server.received.map(({ path, headers }) => [path, headers.authorization])).toEqual([
      ['/x', 'Bearer CANARY-access-token-1'],
      ['/y', 'Bearer CANARY-access-token-1'],
    ])
    expect((await client.fetch('/x', { redirect: 'manual' })).status).toBe(307)
    expect(await thrown(client.fetch('/x', { redirect: 'error' }))).toMatchObject({ code: 'redirected' })
    expect((await client.fetch('/x', { method: 'POST', body: 'order' })).status).toBe(307)
  })

  test('a redirect that leads in circles ends', async () => {
    api.answer = () => ({ status: 302, headers: { location: '/x' } })
    expect(await thrown(client.fetch('/x'))).toMatchObject({ code: 'too_many_redirects' })
    expect(server.received).toHaveLength(6)
  })
})
