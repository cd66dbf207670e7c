import { UnexpectedResponseError } from './errors.ts'
import type { Secret } from './secret.ts'

/** A token is 8 to 8192 printable ASCII characters without a space: an error text is never a token. */
const PLAUSIBLE_TOKEN = /^[\x21-\x7e]{8,8192}$/

export function isPlausibleToken(token: Secret): boolean {
  return PLAUSIBLE_TOKEN.test(token.reveal())
}

/** Throws {@link UnexpectedResponseError} before anything implausible can be stored. `field` is its path in the reply. */
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
