import {
  BrokerUnavailableError,
  RateLimitedError,
  StateStoreError,
  type TokenkeeperError,
  TokenVaultError,
  UnexpectedResponseError,
} from './errors.ts'

/**
 * Whether a minted token that could not be proven or published is worth keeping (I10): the fault says nothing against
 * the token. A refusal, another user's token and what cannot be a token are verdicts.
 */
export function isWorthKeeping(error: unknown): error is TokenkeeperError {
  return (
    error instanceof BrokerUnavailableError ||
    error instanceof RateLimitedError ||
    error instanceof TokenVaultError ||
    error instanceof StateStoreError ||
    // A proof that is answered in a new way. A token that is none, or dead already, has its field named.
    (error instanceof UnexpectedResponseError && error.status !== undefined)
  )
}
