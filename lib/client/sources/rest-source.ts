import * as z from 'zod/mini'
import { brokerNamed } from '../../brokers/index.ts'
import { assertAllowedOrigin } from '../../http/allowed-origin.ts'
import { undiciHttp } from '../../http/undici-http.ts'
import { brokerOf, parseAccountId } from '../../model/account-id.ts'
import { Secret } from '../../model/secrets/secret.ts'
import { USER_AGENT } from '../../model/version.ts'
import { parseExpiresAt } from '../../oauth/expires-at.ts'
import { type Http, HttpError, type HttpReply } from '../../ports/http.ts'
import { authorizationOf } from '../../tokens/service/read-published.ts'
import { unavailable } from '../unavailable.ts'
import { problemIn } from './rest-problem.ts'
import type { ClientToken, TokenSource } from './token-source.ts'

const READ_TIMEOUT_MS = 10_000
/** A reply on AWS may take 29 s, with a cold start. */
const RENEW_TIMEOUT_MS = 35_000
/** Seconds after which a failed connection is tried again. */
const UNREACHED_SECONDS = 1

/**
 * The fields that a client needs from the replies of both paths. A key without the scope `token` gets no
 * access token.
 */
const TokenReply = z.object({
  access_token: z.optional(z.string().check(z.minLength(1))),
  authorization: z.nullish(z.string()),
  client_id: z.nullish(z.string()),
  session: z.nullish(z.record(z.string(), z.unknown())),
  generation: z.optional(z.int()),
  version: z.nullish(z.int()),
  expires_at: z.nullish(z.union([z.string(), z.number()])),
  // Keepers of version 0.1 do not send these two.
  live: z.nullish(z.boolean()),
  unproven_since: z.nullish(z.string()),
  user_id: z.nullish(z.string()),
})

export interface RestSourceOptions {
  /** The address of tokenkeeper's REST interface, with or without a path. */
  readonly url: string
  /** A key of `tokenkeeper keys create` with the scope `token`, and `refresh` for renewals. */
  readonly apiKey: string | Secret
  /** `fyers`, or `iifl/28748327`. */
  readonly account: string
  /** Hosts that may be called over plain http; loopback is always allowed. */
  readonly allowHttpHosts?: readonly string[]
  /** @default - undici, closed with the client */
  readonly http?: Http
}

/**
 * A source of tokens from tokenkeeper's REST interface. Throws ConfigurationError for an unknown account id
 * or broker, and for an address that is neither https nor allowed.
 */
export function restSource(options: RestSourceOptions): TokenSource {
  const { allowHttpHosts = [] } = options
  const account = parseAccountId(options.account)
  const broker = brokerNamed(brokerOf(account))
  assertAllowedOrigin(options.url, allowHttpHosts, 'the address of the REST interface')
  const base = `${options.url.replace(/\/+$/, '')}/accounts/${account}`
  const apiKey = options.apiKey instanceof Secret ? options.apiKey : new Secret(options.apiKey)
  const own = options.http ? undefined : undiciHttp()
  const http = options.http ?? (own as Http)

  const send = async (method: 'GET' | 'POST', path: string, body?: object): Promise<HttpReply> => {
    try {
      return await http.send({
        method,
        url: base + path,
        headers: {
          authorization: `Bearer ${apiKey.reveal()}`,
          accept: 'application/json',
          'user-agent': USER_AGENT,
          ...(body && { 'content-type': 'application/json' }),
        },
        ...(body && { body: JSON.stringify(body) }),
        timeoutMs: body ? RENEW_TIMEOUT_MS : READ_TIMEOUT_MS,
      })
    } catch (error) {
      if (!(error instanceof HttpError)) throw error
      throw unavailable(account, {
        code: 'unreachable',
        reason: `the REST interface at ${new URL(base).origin} did not answer (${error.reason})`,
        fix: error.fix ?? 'check its address and that it runs; else try again in a moment',
        retryAfterSeconds: UNREACHED_SECONDS,
        cause: error,
      })
    }
  }

  const tokenIn = (reply: HttpReply): ClientToken | undefined => {
    if (reply.status !== 200) throw problemIn(reply, account)
    const { data } = TokenReply.safeParse(jsonOf(reply))
    if (!data) throw notUnderstood()
    if (data.access_token === undefined) return undefined
    const accessToken = new Secret(data.access_token)
    const clientId = typeof data.client_id === 'string' ? new Secret(data.client_id) : undefined
    const header =
      data.authorization ??
      authorizationOf(broker, { accessToken, version: 0, ...(clientId && { clientId }) })
    const expiresAt = parseExpiresAt(data.expires_at, broker.session.timeZone)
    const unprovenSince = parseExpiresAt(data.unproven_since, broker.session.timeZone)
    return {
      account,
      broker: broker.id,
      accessToken,
      ...(header !== undefined && { authorization: new Secret(header) }),
      ...(data.generation !== undefined && { generation: data.generation }),
      ...(typeof data.version === 'number' && { version: data.version }),
      ...(expiresAt && { expiresAt }),
      // Without a recorded expiry it is a token that somebody else has stored, of which the keeper knows
      // nothing.
      ...(expiresAt && typeof data.live === 'boolean' && { live: data.live }),
      ...(unprovenSince && { unprovenSince }),
      ...(data.session && { session: new Secret(JSON.stringify(data.session)) }),
      ...(typeof data.user_id === 'string' && { userId: data.user_id }),
    }
  }

  const notUnderstood = () =>
    unavailable(account, {
      code: 'response_unexpected',
      reason: `the reply of ${new URL(base).origin} is no token`,
      fix: 'check that the address is that of a tokenkeeper of this version',
    })

  return {
    account,
    broker,
    async read() {
      const token = tokenIn(await send('GET', '/token'))
      if (token) return token
      throw notUnderstood()
    },
    report: async ({ generation }) =>
      tokenIn(await send('POST', '/refresh', generation === undefined ? {} : { generation })),
    renew: async ({ force }) => tokenIn(await send('POST', '/refresh', force ? { force } : {})),
    ...(own && { close: () => own.close() }),
  }
}

function jsonOf({ body }: HttpReply): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}
