import type { MiddlewareHandler } from 'hono'
import { apiKeyIdIn, isApiKey, objectionTo, type Scope } from '../model/api-key.ts'
import type { AccessOptions, Caller } from './caller.ts'
import { RestProblem } from './problem.ts'
import type { RestEnv } from './rest-env.ts'

/** The challenge of a 401 (RFC 6750 section 3). */
const CHALLENGE = 'Bearer realm="tokenkeeper"'
/** The scheme may be in any case (RFC 9110 section 11.1). */
const BEARER = /^bearer +([^\s]+)$/i

/** What a route requires of its caller: a scope, or any key. */
export type RequiredScope = Scope | 'any'

/** Makes the middleware that lets a request through to a route, or ends it with 401 or 403. */
export function accessTo(options: AccessOptions): (need: RequiredScope) => MiddlewareHandler<RestEnv> {
  return (need) => async (context, next) => {
    const given = context.req.header('authorization')
    const caller = given === undefined ? await anonymous(need, options) : await known(given, options)
    if (need !== 'any' && !caller.scopes.includes(need)) throw lacks(need)
    context.set('caller', caller)
    return next()
  }
}

/** Throws RestProblem, which ends the request with 403, unless the caller has the scope. */
export function assertScope({ scopes }: Caller, scope: Scope): void {
  if (!scopes.includes(scope)) throw lacks(scope)
}

async function anonymous(need: RequiredScope, { keys, access }: AccessOptions): Promise<Caller> {
  const open = access === 'loopback' && (need === 'any' || need === 'status')
  if (open && (need === 'any' || (await keys.list()).length === 0)) {
    return { keyId: undefined, scopes: ['status'], accounts: undefined }
  }
  throw new RestProblem('unauthenticated', 'this needs an API key', {
    fix: `send Authorization: Bearer with a key, such as one of ${makeKey('status')}`,
    headers: { 'www-authenticate': CHALLENGE },
  })
}

/**
 * The caller with this key. Does the same work whether or not the key's id exists, so that the time does not
 * tell. Throws RestProblem.
 */
async function known(header: string, { keys, clock }: AccessOptions): Promise<Caller> {
  const [, text = ''] = BEARER.exec(header) ?? []
  const id = apiKeyIdIn(text)
  const key = id === undefined ? undefined : await keys.find(id)
  if (!isApiKey(text, key) || key === undefined) {
    throw invalid('key_unknown', 'this is no API key of this installation', 'check that the key is complete')
  }
  const objection = objectionTo(key, clock.now())
  if (objection) {
    throw invalid(
      `key_${objection}`,
      `this API key is ${objection}`,
      `make a new one, as it was made: ${makeKey('status')}`,
    )
  }
  return { keyId: key.id, scopes: key.scopes, accounts: key.accounts }
}

function invalid(
  code: 'key_unknown' | 'key_expired' | 'key_revoked',
  detail: string,
  fix: string,
): RestProblem {
  return new RestProblem(code, detail, {
    fix,
    headers: { 'www-authenticate': `${CHALLENGE}, error="invalid_token"` },
  })
}

/** The whole command: with fewer options it would only say which are missing. */
function makeKey(scope: Scope): string {
  return `tokenkeeper keys create --name my-program --scope ${scope} --all-accounts`
}

function lacks(scope: Scope): RestProblem {
  return new RestProblem('insufficient_scope', `this needs a key with the scope ${scope}`, {
    fix: `make one, for fewer accounts if it can do with them: ${makeKey(scope)}`,
    headers: { 'www-authenticate': `${CHALLENGE}, error="insufficient_scope", scope="${scope}"` },
  })
}
