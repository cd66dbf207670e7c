import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { Hono } from 'hono'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ProxySettings } from '../../lib/http/proxy-settings.ts'
import { undiciHttp } from '../../lib/http/undici-http.ts'
import { ConfigurationError } from '../../lib/model/errors.ts'
import { HttpError, type HttpReply } from '../../lib/ports/http.ts'
import type { SimulatorEnv } from '../../lib/simulators/kit/simulator.ts'
import { type SimulatorServer, startSimulator } from '../../lib/simulators/kit/simulator-server.ts'
import { VirtualClock } from '../../lib/simulators/kit/virtual-clock.ts'
import { freePort } from '../support/free-port.ts'
import { type CountingProxy, type Listening, proxyTo, tlsInFrontOf } from '../support/network.ts'
import { privateAuthority } from '../support/private-authority.ts'
import { thrownBy } from '../support/thrown.ts'

const HOST = 'api.broker.invalid'
const NONE: ProxySettings = { httpsProxy: '', httpProxy: '', noProxy: '' }

const { authority, server: certified } = privateAuthority(HOST, 'localhost')
let broker: SimulatorServer
let tls: Listening
let proxy: CountingProxy
const closers: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  const app = new Hono<SimulatorEnv>()
  app.all('/echo', async (context) => context.json({ body: await context.req.text() }))
  app.all('/big', (context) => context.body('x'.repeat(3_000_000)))
  const clock = new VirtualClock('2026-11-23T07:00:00+05:30')
  broker = await startSimulator({ id: 'echo', hosts: [], app }, { clock })
  tls = await tlsInFrontOf(broker.origin, certified)
})
afterAll(async () => {
  await tls.close()
  await broker.close()
})

const usual = getCACertificates('default')
beforeEach(async () => {
  proxy = await proxyTo(tls.port)
  setDefaultCACertificates([...usual, authority])
})
afterEach(async () => {
  setDefaultCACertificates(usual)
  for (const close of closers.splice(0)) await close()
  await proxy.close()
})

const through = (settings: Partial<ProxySettings> = {}): ProxySettings => ({
  ...NONE,
  httpsProxy: `http://127.0.0.1:${proxy.port}`,
  ...settings,
})

async function send(url: string, settings: ProxySettings | undefined, timeoutMs = 5_000): Promise<HttpReply> {
  const http = undiciHttp(settings)
  closers.push(() => http.close())
  return http.send({ method: 'POST', url, body: 'code=SECRET', timeoutMs })
}

async function failure(
  url: string,
  settings: ProxySettings | undefined,
  timeoutMs?: number,
): Promise<HttpError> {
  return thrownBy(send(url, settings, timeoutMs), HttpError)
}

describe('a proxy', () => {
  test('carries what goes to a broker, and sees its host and nothing else', async () => {
    const reply = await send(`https://${HOST}/echo?code=SECRET`, through())
    expect(JSON.parse(reply.body)).toEqual({ body: 'code=SECRET' })
    expect(proxy.asked).toEqual([{ method: 'CONNECT', target: `${HOST}:443`, authorization: undefined }])
  })

  test('gets the name and password of its address, and no other part of a call does', async () => {
    await send(`https://${HOST}/echo`, through({ httpsProxy: `http://user:p%40ss@127.0.0.1:${proxy.port}` }))
    expect(proxy.asked).toMatchObject([{ authorization: `Basic ${btoa('user:p@ss')}` }])
  })

  test.each([HOST, `.${HOST.split('.').slice(1).join('.')}`, `none.example, ${HOST}:443`, '*'])(
    'is not asked for a host that NO_PROXY=%s names',
    async (noProxy) => {
      expect(await failure(`https://${HOST}/echo`, through({ noProxy }))).toMatchObject({ sent: false })
      expect(proxy.asked).toEqual([])
    },
  )

  test('is asked for hosts that NO_PROXY does not name', async () => {
    await send(`https://${HOST}/echo`, through({ noProxy: `example.com,broker.invalid:8443,x${HOST}` }))
    expect(proxy.asked).toHaveLength(1)
  })

  test.each([
    ['https://10.9.8.7/echo', '10.0.0.0/8'],
    [`https://${HOST}/echo`, `*.${HOST}`],
  ])(
    'is asked for %s although NO_PROXY=%s: ranges are not read, and *. stands for the names below',
    async (url, noProxy) => {
      await send(url, through({ noProxy })).catch(() => undefined)
      expect(proxy.asked).toHaveLength(1)
    },
  )

  test.each(['localhost', '127.0.0.1', '127.8.9.1'])(
    'is not asked for this machine itself: %s',
    async (host) => {
      const settings = through({ httpProxy: `http://127.0.0.1:${proxy.port}` })
      const reply = await send(`http://${host}:${new URL(broker.origin).port}/echo`, settings).catch(
        () => undefined,
      )
      if (host !== '127.8.9.1') expect(reply?.status).toBe(200)
      expect(proxy.asked).toEqual([])
    },
  )

  test.each(['http://169.254.169.254/', 'https://[fe80::1]/', 'http://[::ffff:169.254.169.254]/'])(
    'is no way to %s either',
    async (url) => {
      const settings = through({ httpProxy: `http://127.0.0.1:${proxy.port}` })
      expect(await failure(url, settings)).toMatchObject({ sent: false, reason: 'ERR_IP_BLOCKED' })
      expect(proxy.asked).toEqual([])
    },
  )

  test('for plain http carries plain http, and is none for https', async () => {
    const settings = { ...NONE, httpProxy: `http://127.0.0.1:${proxy.port}` }
    const reply = await send('http://gateway.broker.invalid/token', settings)
    expect(JSON.parse(reply.body)).toEqual({ forwarded: 'http://gateway.broker.invalid/token' })
    expect(await failure(`https://${HOST}/echo`, settings)).toMatchObject({ sent: false })
    expect(proxy.asked).toHaveLength(1)
  })

  test('changes no limit: a reply of megabytes is not read, a hang ends', async () => {
    expect(await failure(`https://${HOST}/big`, through())).toMatchObject({
      reason: 'UND_ERR_RES_EXCEEDED_MAX_SIZE',
    })
    broker.failNext('/echo', { kind: 'hang' })
    expect(await failure(`https://${HOST}/echo`, through(), 80)).toMatchObject({
      sent: true,
      reason: 'TIMEOUT',
    })
  })

  test.each([
    ['declines', () => (proxy.answer = 407), 'PROXY_ANSWERED_407'],
    ['drops the connection', () => (proxy.answer = 'drop'), 'UND_ERR_PRX_CONN'],
  ])('that %s is named as the fault, and the broker was sent nothing', async (_, spoil, reason) => {
    spoil()
    const seen = broker.seen.length
    expect(await failure(`https://${HOST}/echo`, through())).toMatchObject({
      sent: false,
      reason,
      fix: expect.stringContaining('HTTPS_PROXY'),
    })
    expect(broker.seen.length).toBe(seen)
  })

  test('that is not there is named as the fault, not the broker', async () => {
    const httpsProxy = `http://user:SECRET@127.0.0.1:${await freePort()}`
    const error = await failure(`https://${HOST}/echo`, through({ httpsProxy }))
    expect(error).toMatchObject({ sent: false, reason: 'PROXY_ECONNREFUSED', fix: expect.any(String) })
    const unknown = await failure(
      `https://${HOST}/echo`,
      through({ httpsProxy: 'http://proxy.invalid:3128' }),
    )
    expect(unknown).toMatchObject({ sent: false, reason: expect.stringMatching(/^PROXY_E/) })
    const dump = (await import('node:util')).inspect(error, { depth: 9 }) + JSON.stringify(error)
    expect(dump).not.toContain('SECRET')
  })
})

describe('without a proxy', () => {
  test('the host is spoken to itself, and TLS is what it is with one', async () => {
    const reply = await send(`https://localhost:${tls.port}/echo`, NONE)
    expect(JSON.parse(reply.body)).toEqual({ body: 'code=SECRET' })
  })

  test.each(['https://169.254.169.254/', 'https://[fe80::1]/'])(
    'TLS leads to %s no more than http',
    async (url) => {
      expect(await failure(url, NONE)).toMatchObject({ sent: false, reason: 'ERR_IP_BLOCKED' })
    },
  )
})

describe('the environment, where nobody has read it', () => {
  afterEach(() => {
    delete process.env['https_proxy']
    delete process.env['no_proxy']
  })

  test('is read by undici', async () => {
    process.env['https_proxy'] = `http://127.0.0.1:${proxy.port}`
    expect((await send(`https://${HOST}/echo`, undefined)).status).toBe(200)
    process.env['no_proxy'] = HOST
    expect(await failure(`https://${HOST}/echo`, undefined)).toMatchObject({ sent: false })
    expect(proxy.asked).toHaveLength(1)
  })

  test('with a proxy that is none is a matter of configuration, and the address is not repeated', () => {
    process.env['https_proxy'] = 'http://user:SECRET@[proxy'
    let error: unknown
    try {
      undiciHttp()
    } catch (caught) {
      error = caught
    }
    expect(error).toBeInstanceOf(ConfigurationError)
    expect(String(error)).not.toContain('SECRET')
  })
})

describe('a certificate of an authority this process does not know', () => {
  test.each([
    ['through a proxy', () => [`https://${HOST}/echo`, through()] as const],
    ['without one', () => [`https://localhost:${tls.port}/echo`, NONE] as const],
  ])('%s ends the call before anything is sent, and says how to make it known', async (_, call) => {
    setDefaultCACertificates(usual)
    const [url, settings] = call()
    const seen = broker.seen.length
    expect(await failure(url, settings)).toMatchObject({
      sent: false,
      reason: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      fix: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
    })
    expect(broker.seen.length).toBe(seen)
  })

  test('once it is known, another name is refused all the same, and no authority is blamed', async () => {
    const error = await failure('https://other.broker.invalid/echo', through())
    expect(error).toMatchObject({ sent: false, reason: 'ERR_TLS_CERT_ALTNAME_INVALID', fix: undefined })
  })
})
