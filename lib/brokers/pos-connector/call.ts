import { ConfigurationError, RateLimitedError } from '../../model/errors.ts'
import type { Secret } from '../../model/secrets/secret.ts'
import type { BrokerContext } from '../../ports/broker/broker-context.ts'
import { checkedBaseUrl } from '../shared/base-url.ts'
import { type BrokerCall, type BrokerReply, callBroker } from '../shared/call.ts'
import { POS, throttled } from './errors.ts'
import type { PosPath } from './path.ts'
import { POS_DEFAULT_PATHS } from './path.ts'

/**
 * Sends JSON with POST. A login whose reply is lost spends nothing (README, Login): it counts against the
 * budget, and may be repeated after the budget's minimum gap. Throws what callBroker throws.
 */
export function post(
  context: BrokerContext,
  path: PosPath,
  json: Readonly<Record<string, string>>,
  accessToken?: Secret,
): Promise<BrokerReply> {
  const headers = accessToken ? bearer(accessToken) : {}
  return send(context, { method: 'POST', url: urlOf(context, path), headers, json, spends: 'nothing' })
}

/** Sends GET with the access token. Throws what callBroker throws. */
export function read(context: BrokerContext, path: PosPath, accessToken: Secret): Promise<BrokerReply> {
  return send(context, {
    method: 'GET',
    url: urlOf(context, path),
    headers: bearer(accessToken),
    spends: 'nothing',
  })
}

/** Sends a request. After a 429 Retry-After is followed, up to a limit (README, Errors). */
async function send(context: BrokerContext, call: BrokerCall): Promise<BrokerReply> {
  try {
    return await callBroker(context, POS, call)
  } catch (error) {
    throw error instanceof RateLimitedError ? throttled(error.retryAfterSeconds) : error
  }
}

function bearer(accessToken: Secret): Record<string, string> {
  return { authorization: `Bearer ${accessToken.reveal()}` }
}

/**
 * The address of a call. The stored base_url is checked at each call, since others can write to the vault.
 * Throws ConfigurationError.
 */
function urlOf(context: BrokerContext, name: PosPath): string {
  const base = checkedBaseUrl(
    context.secret('base_url').reveal(),
    context.allowHttpHosts,
    'the stored base_url',
  )
  const defaults: Readonly<Partial<Record<PosPath, string>>> = POS_DEFAULT_PATHS
  const path = context.settings.options?.[`paths.${name}`] ?? defaults[name] ?? ''
  if (/^\/[^\s?#]+$/.test(path)) return base + path
  throw new ConfigurationError(`the option "paths.${name}" of ${context.account} is no path`, {
    fix: 'write a path that begins with a slash, such as /api/login',
  })
}
