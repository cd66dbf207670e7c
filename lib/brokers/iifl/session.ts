import { createHash } from 'node:crypto'
import type { Secret } from '../../model/secrets/secret.ts'
import type { BrokerContext, Renewal } from '../../ports/broker/broker-context.ts'
import { apiUrl, askFor } from './call.ts'

/** The session has been seen in each of these places (README, Endpoints). */
const SESSION_PATHS = ['userSession', 'result.userSession', 'result.0.userSession', 'accessToken'] as const

/**
 * Exchanges an auth code, which works once, for a session (README, Endpoints). The request holds only the
 * checksum, and is never repeated. Throws AmbiguousError where its fate is unknown, and the other errors of
 * lib/model/errors.ts.
 */
export async function sessionFor(context: BrokerContext, authCode: Secret): Promise<Renewal> {
  const json = { checkSum: checkSum(context.secret('user_id'), authCode, context.secret('client_secret')) }
  const question = { step: 'session', url: apiUrl(context, '/getusersession'), json } as const
  const { text, reply } = await askFor(context, question, SESSION_PATHS)
  return { accessToken: text, sentAt: reply.sentAt }
}

/** Lower-case hex of SHA-256(clientId + authCode + appSecret), without separators (README, Endpoints). */
export function checkSum(clientId: Secret, authCode: Secret, appSecret: Secret): string {
  return createHash('sha256')
    .update(clientId.reveal() + authCode.reveal() + appSecret.reveal())
    .digest('hex')
}
