import { SubscriberError, TokenkeeperError } from '../../model/errors.ts'
import type { Secret } from '../../model/secrets/secret.ts'
import { type RedisAddress, serverName } from './address.ts'
import { redisFault, TimeLimitError } from './fault.ts'

/** Milliseconds until a connection stands, TLS included. */
const CONNECT_MS = 2_000
/** Milliseconds for everything: a run waits for its mirrors. */
const WHOLE_MS = 3_000

type CreateClient = typeof import('./library.ts').createClient
export type RedisClient = ReturnType<typeof clientOf>

/** Gives the password of the moment; `undefined` for a Redis without one. */
export type RedisPassword = () => Promise<Secret | undefined>

/**
 * Connects, works and disconnects, within three seconds. A publication is rare and a function may be frozen between
 * two: a connection that is kept would be dead when it is needed, and there is nothing to reconnect to. The library
 * is loaded by the first call. Throws SubscriberError.
 */
export async function withRedis<T>(
  address: RedisAddress,
  password: RedisPassword,
  work: (client: RedisClient) => Promise<T>,
): Promise<T> {
  const secret = await known(password)
  const { ConnectionTimeoutError, createClient } = await import('./library.ts')
  const client = clientOf(createClient, address, secret)
  let timer: NodeJS.Timeout | undefined
  const broken = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TimeLimitError()), WHOLE_MS)
    // What is no RESP does not end the library's wait for a reply.
    client.on('error', reject)
  })
  const done = client.connect().then(() => work(client))
  for (const abandoned of [done, broken]) abandoned.catch(() => undefined)
  try {
    return await Promise.race([done, broken])
  } catch (error) {
    throw redisFault(error instanceof ConnectionTimeoutError ? new TimeLimitError() : error, address)
  } finally {
    clearTimeout(timer)
    client.destroy()
  }
}

function clientOf(createClient: CreateClient, address: RedisAddress, password: Secret | undefined) {
  const { host, port, tls, username, database } = address
  return createClient({
    RESP: 2,
    socket: {
      host,
      port,
      connectTimeout: CONNECT_MS,
      reconnectStrategy: false,
      ...(tls && { tls, rejectUnauthorized: true, servername: serverName(address) }),
    },
    ...(password && { password: password.reveal(), ...(username !== undefined && { username }) }),
    database,
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: 'disabled',
  })
}

async function known(password: RedisPassword): Promise<Secret | undefined> {
  try {
    return await password()
  } catch (error) {
    if (!(error instanceof TokenkeeperError)) throw error
    throw new SubscriberError(`the password of the Redis mirror could not be read: ${error.message}`, {
      cause: error,
      fix: error.fix,
    })
  }
}
