import { UnexpectedResponseError } from '../errors.ts'
import type { Secret } from './secret.ts'

/** A token is 8 to 8192 printable ASCII characters without a space; an error text has spaces. */
const PLAUSIBLE_TOKEN = /^[\x21-\x7e]{8,8192}$/

/** Whether a text can be a token; says nothing about whether it lives. Pure. */
export function isPlausibleToken(token: Secret): boolean {
  return PLAUSIBLE_TOKEN.test(token.reveal())
}

/**
 * Throws {@link UnexpectedResponseError} for a token that is not plausible, before it can be stored. `field`
 * is its path in the reply.
 */
export function assertPlausibleToken(token: Secret, field: string): void {
  if (isPlausibleToken(token)) return
  throw new UnexpectedResponseError(
    `the broker's ${field} is not a plausible token (${token.length} characters)`,
    {
      field,
      fix: 'nothing was stored; report it, the broker may have changed its replies',
    },
  )
}
