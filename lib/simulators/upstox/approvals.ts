import type { Temporal } from 'temporal-polyfill'
import { request } from 'undici'
import type { Clock } from '../../ports/clock.ts'
import { millisecondText } from './replies.ts'

/** What the notifier is sent: the approval as it should be, or one of the ways it can be wrong. */
export type WebhookVariant =
  | 'as_approved'
  | 'duplicated'
  | 'wrong_client_id'
  | 'wrong_user_id'
  | 'wrong_message_type'
  | 'dead_token'

interface Approval {
  readonly clientId: string
  readonly userId: string
  readonly accessToken: string
  readonly issuedAt: Temporal.Instant
  readonly expiresAt: Temporal.Instant
}

/**
 * Posts the webhook of lib/brokers/upstox/README.md, Approval, unsigned as Upstox does; the statuses answered, one for
 * each post.
 */
export async function postWebhook(
  notifierUrl: string,
  approval: Approval,
  variant: WebhookVariant,
): Promise<readonly number[]> {
  const body = JSON.stringify({
    client_id: variant === 'wrong_client_id' ? '00000000-0000-4000-8000-00000000dead' : approval.clientId,
    user_id: variant === 'wrong_user_id' ? 'SIM999' : approval.userId,
    access_token: approval.accessToken,
    token_type: 'Bearer',
    expires_at: millisecondText(approval.expiresAt),
    issued_at: millisecondText(approval.issuedAt),
    message_type: variant === 'wrong_message_type' ? 'order_update' : 'access_token',
  })
  const statuses: number[] = []
  for (let post = 0; post < (variant === 'duplicated' ? 2 : 1); post++) {
    const headers = { 'content-type': 'application/json' }
    const reply = await request(notifierUrl, { method: 'POST', headers, body })
    await reply.body.dump()
    statuses.push(reply.statusCode)
  }
  return statuses
}

interface OpenApproval {
  readonly id: string
  readonly askedAt: Temporal.Instant
  readonly openUntil: Temporal.Instant
}

/**
 * What the account holder was asked and has not answered; a request is open until its 03:30
 * (lib/brokers/upstox/README.md, Approval).
 */
export class OpenApprovals {
  readonly #clock: Clock
  #asked: readonly OpenApproval[] = []
  #serial = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Newest first. */
  get open(): readonly OpenApproval[] {
    const now = this.#clock.now().epochMilliseconds
    return this.#asked.filter(({ openUntil }) => openUntil.epochMilliseconds > now)
  }

  add(openUntil: Temporal.Instant): void {
    this.#serial += 1
    this.#asked = [{ id: `request-${this.#serial}`, askedAt: this.#clock.now(), openUntil }, ...this.open]
  }

  /** The holder's answer: whether there was such a request to answer. */
  answer(id: string): boolean {
    const wasOpen = this.open.some((request) => request.id === id)
    this.#asked = this.open.filter((request) => request.id !== id)
    return wasOpen
  }
}
