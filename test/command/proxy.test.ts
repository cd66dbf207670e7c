import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type CountingProxy, type Listening, proxyTo, tlsInFrontOf } from '../support/network.ts'
import { privateAuthority } from '../support/private-authority.ts'
import { CommandLine } from './command.ts'
import { setUp } from './set-up.ts'

const HOST = 'api.fyers.invalid'
const { authority, server: certified } = privateAuthority(HOST)

let line: CommandLine
let tls: Listening
let proxy: CountingProxy
/** FYERS behind TLS with a private authority, at a name nobody but the proxy knows. */
let fyers: NodeJS.ProcessEnv

beforeAll(async () => {
  line = await CommandLine.start()
  await setUp(line, 'fyers')
  const simulator = line.world.servers.find(({ name }) => name === 'fyers')?.server
  tls = await tlsInFrontOf(simulator?.origin ?? '', certified)
  fyers = {
    TOKENKEEPER_HOST_FYERS_API: `https://${HOST}`,
    NODE_EXTRA_CA_CERTS: line.file('authority.pem', authority),
  }
})
afterAll(async () => {
  await tls.close()
  await line.close()
})

beforeEach(async () => {
  proxy = await proxyTo(tls.port)
  line.clock.advance(61)
})
afterEach(() => proxy.close())

const refresh = (env: NodeJS.ProcessEnv) => line.run(['refresh', 'fyers', '--force'], { env })

describe('behind a proxy', () => {
  test('HTTPS_PROXY carries every call to a broker, and doctor looks through it, too', async () => {
    const env = { ...fyers, HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` }
    expect(await refresh(env)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('fyers: refreshed'),
    })
    expect(new Set(proxy.asked.map(({ target }) => target))).toEqual(new Set([`${HOST}:443`]))
    const calls = proxy.asked.length
    const doctor = await line.run(['doctor', 'fyers', '--verbose'], { env })
    expect(doctor.stdout).toContain(`${HOST} answers`)
    expect(proxy.asked.length).toBeGreaterThan(calls)
  })

  test('a host that NO_PROXY names is called without it', async () => {
    const env = { ...fyers, HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`, NO_PROXY: '.fyers.invalid' }
    const done = await refresh(env)
    expect(done.code).toBe(3)
    expect(proxy.asked).toEqual([])
  })

  test('a proxy that declines is blamed in place of the broker, and nothing is spent', async () => {
    proxy.answer = 407
    const done = await refresh({ ...fyers, HTTPS_PROXY: `http://user:CANARY@127.0.0.1:${proxy.port}` })
    expect(done.code).toBe(3)
    expect(done.stdout).toContain('PROXY_ANSWERED_407')
    expect(done.stdout).toContain('check HTTPS_PROXY')
    expect(done.stdout + done.stderr).not.toContain('CANARY')
    proxy.answer = 200
    expect(await refresh({ ...fyers, HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` })).toMatchObject({
      code: 0,
    })
  })

  test('a proxy that is no address is a matter of configuration, and is not repeated', async () => {
    const done = await refresh({ ...fyers, HTTPS_PROXY: 'http://user:CANARY@[nonsense' })
    expect(done).toMatchObject({ code: 5, stderr: expect.stringContaining('HTTPS_PROXY is no address') })
    expect(done.stdout + done.stderr).not.toContain('CANARY')
  })

  test('a certificate of a private authority is told with the variable that makes it known', async () => {
    const { NODE_EXTRA_CA_CERTS: _, ...unknown } = fyers
    const env = { ...unknown, HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` }
    const done = await refresh(env)
    expect(done).toMatchObject({ code: 3, stdout: expect.stringContaining('NODE_EXTRA_CA_CERTS') })
    expect((await line.run(['status', 'fyers'])).stdout).toContain('NODE_EXTRA_CA_CERTS')
    expect((await line.run(['doctor', 'fyers'], { env })).stdout).toContain('NODE_EXTRA_CA_CERTS')
  })
})
