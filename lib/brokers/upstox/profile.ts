import * as z from 'zod/mini'
import { WrongAccountError } from '../../model/errors.ts'
import { jwtClaims } from '../../model/expiry/jwt.ts'
import type { Secret } from '../../model/secrets/secret.ts'
import type { BrokerContext, Proof } from '../../ports/broker/broker-context.ts'
import { badField, callBroker } from '../shared/call.ts'
import { UPSTOX, upstoxError } from './errors.ts'

const PROFILE_PATH = '/v2/user/profile'

const Envelope = z.object({ status: z.literal('success') })
const ProfileReply = z.object({
  status: z.literal('success'),
  data: z.object({ user_id: z.string().check(z.minLength(1)), user_name: z.nullish(z.string()) }),
})

/**
 * The profile call that proves a token (README, Endpoints). Throws GrantRejectedError for a dead token,
 * WrongAccountError where the token and the profile name different users, and the errors of {@link
 * upstoxError}.
 */
export async function proveUpstox(context: BrokerContext, accessToken: Secret): Promise<Proof> {
  const reply = await callBroker(context, UPSTOX, {
    method: 'GET',
    url: context.host('UPSTOX_API') + PROFILE_PATH,
    headers: { authorization: `Bearer ${accessToken.reveal()}` },
    spends: 'nothing',
  })
  const parsed = ProfileReply.safeParse(reply.json)
  if (!parsed.success) {
    // A success without a user id is no refusal; Upstox has changed its replies.
    if (Envelope.safeParse(reply.json).success) throw badField(UPSTOX, reply, 'data.user_id')
    throw upstoxError(reply, 'read')
  }
  const { user_id: userId, user_name: name } = parsed.data.data
  assertSubject(accessToken, userId)
  return { userId, ...(name && { clientName: name }) }
}

/**
 * Compares the token's `sub`, which is the client code (README, Expiry); some tokens may have none. Throws
 * WrongAccountError.
 */
function assertSubject(accessToken: Secret, userId: string): void {
  const subject = jwtClaims(accessToken)?.['sub']
  if (typeof subject !== 'string' || subject.toUpperCase() === userId.toUpperCase()) return
  throw new WrongAccountError("the token's sub is not the user of its profile", {
    fix: 'log in with the right user; nothing was changed',
  })
}
