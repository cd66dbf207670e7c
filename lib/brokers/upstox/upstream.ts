import type { Temporal } from 'temporal-polyfill'
import * as z from 'zod/mini'
import { nameOf } from '../../model/account-id.ts'
import {
  AmbiguousError,
  BrokerUnavailableError,
  ClientRejectedError,
  ConfigurationError,
  GrantRejectedError,
  HumanActionError,
  type TokenkeeperError,
  WAIT_FOR_RUN,
} from '../../model/errors.ts'
import { jwtExpiry } from '../../model/expiry/jwt.ts'
import { repeatRead } from '../../model/repeat.ts'
import { isPlausibleToken } from '../../model/secrets/plausible.ts'
import { Secret } from '../../model/secrets/secret.ts'
import { isWorthKeeping } from '../../model/secrets/worth-keeping.ts'
import { parseExpiresAt } from '../../oauth/expires-at.ts'
import type { BrokerContext, Renewal } from '../../ports/broker/broker-context.ts'
import { type BrokerReply, callBroker, errorByStatus } from '../shared/call.ts'
import { upstoxGuide } from './guide.ts'
import { proveUpstox } from './profile.ts'

const SERVICE = 'the token service'
/**
 * The account names of the token service (README, Token service), without `.` and `..`, which would leave the
 * path's folder.
 */
const UPSTREAM_ACCOUNT = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,64}$/
/** The default account's name at the token service, unless the option `upstreamAccountId` gives another. */
const DEFAULT_UPSTREAM_ACCOUNT = 'default'
/** The zone of an `expires_at` without an offset (README, Token service). */
const UPSTREAM_NAIVE_TIME_ZONE = 'Asia/Kolkata'
/** The token's own `exp` wins over an `expires_at` further away than this (README, Token service). */
const EXPIRY_TOLERANCE_S = 60

/** Further fields are ignored (README, Token service). */
const TokenReply = z.object({ access_token: z.string(), expires_at: z.optional(z.unknown()) })

/**
 * Copies a token from a token service: takes its current token if that is new and proves live; otherwise asks
 * once for a fresh one, and takes that if it proves live. The token that made this renewal necessary is not
 * proven again. Throws GrantRejectedError where the service has only dead tokens, and the other errors of
 * lib/model/errors.ts.
 */
export async function renewFromTokenService(context: BrokerContext): Promise<Renewal> {
  const stored = context.optional('access_token')
  const current = await repeatRead(context, () => ask(context, 'GET'))
  const isNews = current !== undefined && stored?.equals(current.accessToken) !== true
  const renewal = isNews ? await proven(context, current) : undefined
  if (renewal) return renewal

  const refreshed = await refresh(context, current?.accessToken ?? stored)
  if (refreshed === undefined) {
    throw new BrokerUnavailableError(`${SERVICE} answered without a usable access_token`, {
      fix: WAIT_FOR_RUN,
    })
  }
  const fresh = await proven(context, refreshed)
  if (fresh) return fresh
  throw new GrantRejectedError(`${SERVICE} has no live Upstox token, not even after a refresh`, {
    fix: 'log in at Upstox, or where the token service asks for it',
  })
}

/**
 * Asks for a fresh token once. Where the reply is lost, the service's current token tells whether it was
 * renewed.
 */
async function refresh(context: BrokerContext, before: Secret | undefined): Promise<Renewal | undefined> {
  try {
    return await ask(context, 'POST')
  } catch (error) {
    if (!(error instanceof AmbiguousError)) throw error
    const now = await repeatRead(context, () => ask(context, 'GET')).catch(() => undefined)
    if (now === undefined || before?.equals(now.accessToken)) throw error
    return now
  }
}

/** One call to the service; `undefined` for a success without a usable token. */
async function ask(context: BrokerContext, method: 'GET' | 'POST'): Promise<Renewal | undefined> {
  const account = upstreamAccount(context)
  const base = context.host('TOKEN_SERVICE').replace(/\/+$/, '')
  const key = context.optional('password')
  const reply = await callBroker(context, SERVICE, {
    method,
    url: `${base}/accounts/${encodeURIComponent(account)}/${method === 'GET' ? 'token' : 'refresh'}`,
    ...(method === 'POST' && { json: {} }),
    ...(key && { headers: { authorization: `Bearer ${key.reveal()}` } }),
    spends: method === 'GET' ? 'nothing' : 'attempt',
  })
  if (reply.status < 200 || reply.status >= 300) throw refusal(reply, account)
  const { data } = TokenReply.safeParse(reply.json)
  const accessToken = new Secret(data?.access_token ?? '')
  if (data === undefined || !isPlausibleToken(accessToken)) return undefined
  const expiresAt = trusted(parseExpiresAt(data.expires_at, UPSTREAM_NAIVE_TIME_ZONE), jwtExpiry(accessToken))
  return { accessToken, sentAt: reply.sentAt, ...(expiresAt && { expiresAt }) }
}

/** The reply's expiry, where the token has none of its own or agrees with it; else `undefined`. */
function trusted(
  said: Temporal.Instant | undefined,
  exp: Temporal.Instant | undefined,
): Temporal.Instant | undefined {
  if (said === undefined || exp === undefined) return said
  return Math.abs(said.until(exp).total('seconds')) > EXPIRY_TOLERANCE_S ? undefined : said
}

/** The renewal with its proof; `undefined` where the token is dead, by its expiry or by the live call. */
async function proven(context: BrokerContext, renewal: Renewal): Promise<Renewal | undefined> {
  const expiresAt = jwtExpiry(renewal.accessToken) ?? renewal.expiresAt
  if (expiresAt && expiresAt.epochMilliseconds <= context.clock.now().epochMilliseconds) return undefined
  try {
    return { ...renewal, proof: await repeatRead(context, () => proveUpstox(context, renewal.accessToken)) }
  } catch (error) {
    if (error instanceof GrantRejectedError) return undefined
    // There is no verdict for now: the run keeps the copy until there is one (I10).
    if (isWorthKeeping(error)) return { ...renewal, unproven: error }
    throw error
  }
}

function upstreamAccount({ account, settings }: BrokerContext): string {
  const name = settings.options?.['upstreamAccountId'] ?? nameOf(account) ?? DEFAULT_UPSTREAM_ACCOUNT
  if (UPSTREAM_ACCOUNT.test(name)) return name
  throw new ConfigurationError('upstreamAccountId is malformed', {
    fix: `use up to 64 letters, digits, dots, hyphens or underscores: tokenkeeper setup ${account}`,
  })
}

/** The errors for the service's replies (README, Token service). */
function refusal(reply: BrokerReply, account: string): TokenkeeperError {
  const brokerCode = String(reply.status)
  switch (reply.status) {
    case 400:
    case 422:
      return new ClientRejectedError(`${SERVICE} calls our request malformed`, {
        brokerCode,
        fix: `check ${upstoxGuide.hostVariables.TOKEN_SERVICE} and the account names upstream`,
      })
    case 401:
    case 403:
      return new ClientRejectedError(`${SERVICE} refuses us`, {
        brokerCode,
        fix: 'store the key it wants from us: tokenkeeper setup {account}',
      })
    case 404:
      return new ClientRejectedError(`${SERVICE} does not know the account "${account}"`, {
        brokerCode,
        fix: `correct ${upstoxGuide.accountsVariable} or the option upstreamAccountId: tokenkeeper setup {account}`,
      })
    case 409:
    case 423:
      return new HumanActionError(`${SERVICE} waits for a person`, {
        brokerCode,
        problem: 'account',
        fix: 'complete the Upstox login that the token service asks for',
      })
    default:
      return errorByStatus(SERVICE, reply, 'nothing')
  }
}
