import * as z from 'zod/mini'
import {
  ClientRejectedError,
  GrantRejectedError,
  type TokenkeeperError,
  UnexpectedResponseError,
} from '../../model/errors.ts'
import { type BrokerReply, errorByStatus, noUsableReply, type Spends } from '../shared/call.ts'
import { DEAD_TOKEN, namesChecksum } from './dead-token.ts'

export const ZERODHA = 'Zerodha'

const BAD_FIELD = 'InputException'
/** Faults of Kite or of what is behind it; nothing is wrong with the request. */
const PASSING: readonly string[] = ['GeneralException', 'DataException', 'NetworkException']

/** What was asked of Kite; a refused token means something else for each. */
type During = 'exchange' | 'renewal' | 'read'

const REFUSED = {
  exchange: {
    what: 'Zerodha refused the request token: it is spent or too old',
    fix: 'log in at Zerodha again',
  },
  renewal: { what: 'Zerodha refused the refresh token', fix: 'log in at Zerodha' },
  read: { what: 'Zerodha says the token is dead', fix: 'log in at Zerodha' },
} as const

const REPORT = 'report it: Zerodha may have changed its replies; what is stored was kept'

const ErrorReply = z.object({
  error_type: z.string().check(z.minLength(1)),
  message: z.nullish(z.string()),
})

/**
 * The error for a reply that is no success; reads the body before the status (README, Errors). `spends` is
 * what the call used up, and decides what a fault on Kite's side means. Nothing of the broker's prose is
 * repeated.
 */
export function kiteError(reply: BrokerReply, spends: Spends, during: During): TokenkeeperError {
  const error = ErrorReply.safeParse(reply.json).data
  if (error === undefined) return withoutErrorType(reply, spends)
  const { status } = reply
  const { error_type: brokerCode } = error
  const fault = (): TokenkeeperError =>
    noUsableReply(ZERODHA, spends, `${ZERODHA} answered ${status} for a fault on its side`)

  if (status >= 500) return fault()
  if (status === 404 || status === 405) {
    const fix = `check the Zerodha hosts in the configuration; else ${REPORT}`
    return new ClientRejectedError('Zerodha does not know the path or the method', { brokerCode, fix })
  }
  if (brokerCode === DEAD_TOKEN) {
    return namesChecksum(error.message) ? wrongSecret(brokerCode) : refused(during, brokerCode)
  }
  if (status === 403) {
    const fix = 'check at Zerodha that the app is active and has the permissions it needs'
    return new ClientRejectedError('Zerodha denies the app what it asks for', { brokerCode, fix })
  }
  if (PASSING.includes(brokerCode)) return fault()
  if (brokerCode === BAD_FIELD) {
    const fix = "check the API key against the app's at Zerodha: tokenkeeper setup {account}"
    return new ClientRejectedError('Zerodha finds a field missing or wrong', { brokerCode, fix })
  }
  // lib/brokers/README.md, Errors, rule 5: an unknown code is a refusal of what was presented, but not of a
  // live token.
  if (during !== 'read') return refused(during, brokerCode)
  const details = { brokerCode, status, fix: REPORT }
  return new UnexpectedResponseError('Zerodha answered with an unknown error type', details)
}

/**
 * A page of the edge, or JSON without an error type, is not from Kite's own application: a passing fault
 * (README, Errors).
 */
function withoutErrorType(reply: BrokerReply, spends: Spends): TokenkeeperError {
  const { status, bodyKind } = reply
  const redirect = status >= 300 && status < 400
  if (bodyKind !== 'json' || redirect) return errorByStatus(ZERODHA, reply, spends)
  // A 4xx means that the request did not reach the part of Kite that spends anything.
  const used = status >= 400 && status < 500 ? 'nothing' : spends
  return noUsableReply(ZERODHA, used, `${ZERODHA} answered ${status} without an error type`)
}

function wrongSecret(brokerCode: string): ClientRejectedError {
  return new ClientRejectedError(
    'Zerodha refuses the checksum: the API secret is not the one of this API key',
    {
      brokerCode,
      fix: "store the app's API key and secret: tokenkeeper setup {account}",
    },
  )
}

function refused(during: During, brokerCode: string): GrantRejectedError {
  const { what, fix } = REFUSED[during]
  return new GrantRejectedError(what, { brokerCode, fix })
}
