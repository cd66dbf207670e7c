import type { AccountId } from '../../model/account-id.ts'
import { CallError } from '../errors.ts'
import type { Call } from './call.ts'
import type { CallFault } from './exchange.ts'

/** The error where no reply came. The URL is named without its query, which can contain anything. */
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

/** The error for a redirect that the call does not follow. */
export function redirected(call: Call, code: 'redirected' | 'too_many_redirects'): CallError {
  return new CallError(`${nameOf(call)} is redirected`, {
    code,
    actor: 'developer',
    fix: 'call the address it leads to',
  })
}

/** The error where the token was renewed, but the body cannot be sent again. */
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

/** The error where the broker's header needs the app's id, which is not known. */
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
