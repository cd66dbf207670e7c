import type { AccountId } from '../../model/account-id.ts'
import { CallError } from '../errors.ts'
import type { Call } from './call.ts'
import type { CallFault } from './exchange.ts'

/** No reply came. A URL loses its query: it can hold anything. */
export function noReply(call: Call, { reason, sent, fix, cause }: CallFault): CallError {
  if (reason === 'UND_ERR_INVALID_ARG') {
    return new CallError(`${nameOf(call)}: a header or the body cannot be sent`, {
      code: 'invalid_call',
      actor: 'developer',
      sent: false,
      fix: 'look for line breaks in header values, and for a body of an unusual type',
      cause,
    })
  }
  const outcome = sent ? 'no usable reply' : 'could not connect'
  return new CallError(`${nameOf(call)}: ${outcome} (${reason})`, {
    code: 'network',
    actor: 'wait',
    sent,
    fix:
      fix ??
      (sent && !isRead(call) ? 'find out whether it was done before you repeat it' : 'try again later'),
    cause,
  })
}

export function redirected(call: Call, code: 'redirected' | 'too_many_redirects'): CallError {
  return new CallError(`${nameOf(call)} is redirected`, {
    code,
    actor: 'developer',
    fix: 'call the address it leads to',
  })
}

/** The token is renewed, but what was sent cannot be sent again. */
export function spentBody(call: Call): CallError {
  return new CallError(
    `${nameOf(call)}: the token was refused and is renewed, but the body is a spent stream`,
    {
      code: 'body_not_replayable',
      actor: 'developer',
      fix: 'call again; give a function that makes the stream, and it is repeated by itself',
    },
  )
}

export function clientIdMissing(brokerName: string, account: AccountId): CallError {
  const header = `${brokerName}'s Authorization header`
  return new CallError(`${header} names the app, whose id is not known for ${account}`, {
    code: 'client_id_missing',
    actor: 'operator',
    sent: false,
    fix: `store it (tokenkeeper setup ${account}), or give it to the source as clientId`,
  })
}

function isRead({ method }: Call): boolean {
  return method === 'GET' || method === 'HEAD'
}

function nameOf({ method, url }: Call): string {
  return `${method} ${url.origin}${url.pathname}`
}
