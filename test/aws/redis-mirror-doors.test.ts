import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { ALL_BROKERS } from '../../lib/brokers/index.ts'
import { redisMirror } from '../../lib/mirrors/redis/mirror.ts'
import { SubscriberError } from '../../lib/model/errors.ts'
import { Secret } from '../../lib/model/secrets/secret.ts'
import type { Subscriber } from '../../lib/ports/subscriber.ts'
import { VirtualClock } from '../../lib/simulators/kit/virtual-clock.ts'
import { ISSUED, publication } from '../mirrors/support/publication.ts'
import { thrownBy } from '../support/thrown.ts'
import { RedisServer } from './support/redis-server.ts'

const PASSWORD = 'SIMULATED-redis-password'
const ACC1 = publication('upstox/ACC1')

/** The error of a failed publication, searched for what must not be in it. */
async function failure(mirror: Subscriber): Promise<SubscriberError> {
  const error = await thrownBy(mirror.onPublished(ACC1), SubscriberError)
  const everything = [JSON.stringify(error), error.message, error.fix, error.stack].join()
  for (const secret of [PASSWORD, 'SIMULATED-wrong', ACC1.accessToken.reveal()]) {
    expect(everything).not.toContain(secret)
  }
  return error
}

function mirrorOf(url: string, password?: string): Subscriber {
  return redisMirror({
    url,
    password: async () => (password === undefined ? undefined : new Secret(password)),
    defaultAccounts: [],
    brokers: ALL_BROKERS,
    clock: new VirtualClock(ISSUED),
  })
}

describe('a Redis that wants a password', () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await RedisServer.start({
      password: PASSWORD,
      lines: [
        `user mirror on >${PASSWORD} ~upstox_access_token* ~token_info* -@all +ping +get +pttl +set +del +watch +multi +exec`,
        `user reader on >${PASSWORD} ~* -@all +get`,
      ],
    })
  })
  afterAll(() => redis?.stop())

  test('takes the publication with the right one', async () => {
    await mirrorOf(redis.url(), PASSWORD).onPublished(ACC1)
    expect(Object.keys(await redis.contents())).toHaveLength(2)
  })

  test('takes it from a user who may do what a mirror does and no more', async () => {
    await redis.command('FLUSHALL')
    const mirror = mirrorOf(redis.url('mirror'), PASSWORD)
    await mirror.onPublished(ACC1)
    await mirror.onStillCurrent?.(ACC1)
    expect(Object.keys(await redis.contents())).toHaveLength(2)
    await mirror.onWithdrawn(ACC1.account)
    expect(await redis.contents()).toEqual({})
  })

  test.each([
    [
      'a wrong password',
      '',
      'SIMULATED-wrong',
      'refuses the user name or the password',
      'tokenkeeper mirrors password',
    ],
    [
      'an unknown user',
      'stranger',
      PASSWORD,
      'refuses the user name or the password',
      'tokenkeeper mirrors password',
    ],
    ['no password', '', undefined, 'wants a password', 'tokenkeeper mirrors password'],
    ['a user who may not write', 'reader', PASSWORD, 'does not allow its user', 'PTTL, SET, DEL'],
  ])('refuses %s, and the error says how to mend it', async (_, user, password, says, fix) => {
    const error = await failure(mirrorOf(redis.url(user), password))
    expect(error.message).toContain(`Redis at localhost:${redis.port} ${says}`)
    expect(error.fix).toContain(fix)
  })
})

test('a Redis without a password says that none is wanted', async () => {
  const redis = await RedisServer.start()
  try {
    const error = await failure(mirrorOf(redis.url(), PASSWORD))
    expect(error.message).toContain('wants no password')
    expect(error.fix).toContain('--remove')
  } finally {
    await redis.stop()
  }
})

describe('over TLS', () => {
  let redis: RedisServer
  let elsewhere: RedisServer
  const usual = getCACertificates()
  beforeAll(async () => {
    redis = await RedisServer.start({ tls: { names: 'DNS:localhost' }, password: PASSWORD })
    elsewhere = await RedisServer.start({ tls: { names: 'DNS:cache.example.invalid' }, password: PASSWORD })
  })
  afterEach(() => setDefaultCACertificates(usual))
  afterAll(async () => {
    await Promise.all([redis?.stop(), elsewhere?.stop()])
  })

  test('a certificate of a known authority is accepted', async () => {
    setDefaultCACertificates([...usual, redis.ca])
    await mirrorOf(redis.url(), PASSWORD).onPublished(ACC1)
    expect(Object.keys(await redis.contents())).toHaveLength(2)
  })

  test('a certificate of an unknown authority is refused, also where the environment asks for leniency', async () => {
    const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED']
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
    try {
      const error = await failure(mirrorOf(redis.url(), PASSWORD))
      expect(error.message).toContain('has a certificate that does not hold')
      expect(error.fix).toContain('NODE_EXTRA_CA_CERTS')
    } finally {
      if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
      else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before
    }
  })

  test('a certificate for another name is refused', async () => {
    setDefaultCACertificates([...usual, elsewhere.ca])
    const error = await failure(mirrorOf(elsewhere.url(), PASSWORD))
    expect(error.message).toContain('ERR_TLS_CERT_ALTNAME_INVALID')
  })

  test('plain words to a TLS port fail with a hint, and the other way round', async () => {
    const plain = await failure(mirrorOf(redis.url().replace('rediss:', 'redis:'), PASSWORD))
    expect(plain.fix).toContain('rediss://')
    const open = await RedisServer.start()
    try {
      const tls = await failure(mirrorOf(open.url().replace('redis:', 'rediss:'), PASSWORD))
      expect(tls.fix).toContain('redis://')
    } finally {
      await open.stop()
    }
  })
})
