import { Temporal } from 'temporal-polyfill'
import * as z from 'zod/mini'
import { nextClock } from '../../model/expiry/session-model.ts'
import { Secret } from '../../model/secrets/secret.ts'
import type { BrokerContext } from '../../ports/broker/broker-context.ts'
import type { Candidate, PushApproval } from '../../ports/broker/login.ts'
import { badField, callBroker } from '../shared/call.ts'
import { UPSTOX_DEATH } from './death.ts'
import { UPSTOX, upstoxError, upstoxErrorCode } from './errors.ts'

const REQUEST_PATH = '/v3/login/auth/token/request/'
/** Seconds the page waits for the person (README, Approval). */
const UPSTOX_APPROVAL_WAIT_S = 900

/**
 * Epoch milliseconds as text (README, Approval). The length tells them from seconds, with 10 digits, and
 * microseconds, with 16.
 */
const Milliseconds = z.pipe(
  z.string().check(z.regex(/^\d{12,13}$/)),
  z.transform((text) => Temporal.Instant.fromEpochMilliseconds(Number(text))),
)
const RequestReply = z.object({
  status: z.literal('success'),
  data: z.object({ authorization_expiry: Milliseconds }),
})
const Webhook = z.object({
  message_type: z.literal('access_token'),
  client_id: z.string().check(z.minLength(1)),
  user_id: z.string().check(z.minLength(1)),
  access_token: z.string(),
  token_type: z.literal('Bearer'),
  issued_at: Milliseconds,
  expires_at: Milliseconds,
})

/** Upstox asks its customer in its app and posts the token to the app's notifier URL (README, Approval). */
export const upstoxApproval: PushApproval = {
  needs: ['client_id', 'client_secret'],
  // Three a day, half an hour apart (README, Limits).
  budget: { perDay: 3, minimumGapSeconds: 1_800 },
  waitSeconds: UPSTOX_APPROVAL_WAIT_S,
  // A request ends when a token issued then would die (README, Approval).
  openAtMost: (requestedAt) => nextClock(UPSTOX_DEATH, requestedAt),
  request,
  readWebhook,
}

async function request(context: BrokerContext): Promise<{ readonly openUntil: Temporal.Instant }> {
  const clientId = context.secret('client_id').reveal()
  const reply = await callBroker(context, UPSTOX, {
    method: 'POST',
    url: context.host('UPSTOX_API') + REQUEST_PATH + encodeURIComponent(clientId),
    json: { client_secret: context.secret('client_secret').reveal() },
    // The person may have been asked although no reply came.
    spends: 'attempt',
  })
  const parsed = RequestReply.safeParse(reply.json)
  if (parsed.success) return { openUntil: parsed.data.data.authorization_expiry }
  const isSuccess = reply.status === 200 && reply.bodyKind === 'json' && !upstoxErrorCode(reply)
  throw isSuccess ? badField(UPSTOX, reply, 'data.authorization_expiry') : upstoxError(reply, 'approval')
}

function readWebhook(body: unknown): Candidate | undefined {
  const parsed = Webhook.safeParse(body)
  if (!parsed.success) return undefined
  const { client_id, user_id, access_token, issued_at, expires_at } = parsed.data
  return {
    clientId: client_id,
    userId: user_id,
    accessToken: new Secret(access_token),
    issuedAt: issued_at,
    expiresAt: expires_at,
  }
}
