import { describe, expect, test } from 'vitest'
import { posConnector } from '../../../lib/brokers/pos-connector/pos-connector.ts'
import { baseUrlProblem, checkedBaseUrl } from '../../../lib/brokers/shared/base-url.ts'
import { posWorld } from '../../support/pos-backend.ts'

describe('an address the operator stores', () => {
  test.each([
    'https://pos.example.com',
    'https://pos.example.com:8443/shop/',
    'http://127.0.0.1:8000',
    'http://localhost:8000',
    'http://[::1]:8000',
    'https://192.168.1.20',
  ])('%s is fine', (value) => {
    expect(baseUrlProblem(value)).toBeUndefined()
    expect(checkedBaseUrl(value, [], 'base_url')).toMatch(/[^/]$/)
  })

  test.each([
    'pos.example.com',
    'ftp://pos.example.com',
    'file:///etc/passwd',
    'https://user:S3CRET@pos.example.com',
    'https://pos.example.com/?token=S3CRET',
    'https://pos.example.com/#S3CRET',
    'https://169.254.169.254/latest/meta-data',
    'http://169.254.170.2',
    'http://2852039166',
    'http://0xa9fea9fe/',
    'http://[fe80::1]',
    'http://[::ffff:169.254.169.254]',
    'http://[fd00:ec2::254]',
    'https://metadata.google.internal',
    'https://metadata.google.internal./',
    'http://100.100.100.200',
    'http://0.0.0.0:8000',
  ])('%s has a problem, told without the value', (value) => {
    const problem = baseUrlProblem(value)
    expect(problem).toBeDefined()
    expect(problem).not.toContain('S3CRET')
    expect(() => checkedBaseUrl(value, [new URL('http://0.0.0.0').hostname], 'base_url')).toThrow(
      'base_url is malformed',
    )
  })

  test.each(['http://pos.example.com', 'http://192.168.1.20', 'http://127.0.0.1.example.com'])(
    '%s needs the allow-list',
    (value) => {
      expect(() => checkedBaseUrl(value, ['other.example.com'], 'base_url')).toThrow('base_url must be https')
      expect(checkedBaseUrl(value, [new URL(value).hostname], 'base_url')).toBe(value)
    },
  )

  test('in a set-up is checked before anything is sent, and again at the call against the allow-list', async () => {
    const pos = await posWorld()
    const { world, account } = pos
    await world.store(account, { base_url: 'http://169.254.169.254' })
    expect(await pos.run()).toMatchObject({
      code: 'configuration_invalid',
      reason: expect.stringContaining('base_url'),
    })

    // A name for loopback that is not on the list; it could be any host.
    const { port } = new URL(pos.server.origin)
    await world.store(account, { base_url: `http://pos.localhost:${port}` })
    world.clock.advance({ minutes: 2 })
    expect(await pos.run()).toMatchObject({
      code: 'configuration_invalid',
      reason: expect.stringContaining('https'),
    })
    expect(pos.server.seen).toHaveLength(0)

    const { http } = world.ports
    world.ports = {
      ...world.ports,
      allowHttpHosts: ['pos.localhost'],
      http: {
        send: (request) => http.send({ ...request, url: request.url.replace('pos.localhost', '127.0.0.1') }),
      },
    }
    world.clock.advance({ minutes: 2 })
    expect(await pos.run()).toMatchObject({ outcome: 'refreshed' })
    await world.close()
  })
})

test('R4.6 setup asks for what the guide had, with the guide’s variables', () => {
  expect(posConnector.credentials.flatMap(({ env }) => env)).toEqual([
    'POS_BASE_URL',
    'POS_EMAIL',
    'POS_PASSWORD',
    'POS_VENDOR_ID',
  ])
  const hidden = posConnector.credentials.filter((field) => field.hidden).map(({ name }) => name)
  expect(hidden).toEqual(['password'])
})
