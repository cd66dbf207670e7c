import {
  BrokerUnavailableError,
  RateLimitedError,
  StateStoreError,
  type TokenkeeperError,
  TokenVaultError,
  UnexpectedResponseError,
} from '../errors.ts'

/**
 * Whether a minted token that could not be proven or published is to be kept (I10): the error says nothing
 * against the token. A refusal, another user's token and a text that cannot be a token do. Pure.
 */
export function isWorthKeeping(error: unknown): error is TokenkeeperError {
  return (
    error instanceof BrokerUnavailableError ||
    error instanceof RateLimitedError ||
    error instanceof TokenVaultError ||
    error instanceof StateStoreError ||
    // The proof was answered in a way we cannot read. An error about the token itself names a field and has
    // no status.
    (error instanceof UnexpectedResponseError && error.status !== undefined)
  )
}
