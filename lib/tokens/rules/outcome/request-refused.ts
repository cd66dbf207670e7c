import { inspect } from 'node:util'
import { TokenkeeperError } from '../../../model/errors.ts'
import { maskSecrets } from '../../../model/secrets/secret.ts'
import type { Refusal } from '../../../ports/login-service.ts'
import { forAccount } from './advice.ts'

/**
 * Ends what somebody asked for before anything was changed; the services turn it into its {@link Refusal}.
 */
export class RequestRefusedError extends Error {
  readonly refusal: Refusal

  constructor(code: Refusal['code'], reason: string, fix: string) {
    super(reason)
    this.name = 'RequestRefusedError'
    this.refusal = { refused: true, code, reason, fix }
  }

  [inspect.custom](): string {
    return this.stack ?? this.message
  }
}

/**
 * The refusal that an error is reported as. Of an unforeseen error, which is a bug, only the class is told.
 */
export function refusalOf(error: unknown, account: string): Refusal {
  if (error instanceof RequestRefusedError)
    return { ...error.refusal, fix: forAccount(error.refusal.fix, account) }
  if (error instanceof TokenkeeperError) {
    const { code, message, fix } = error
    return { refused: true, code, reason: maskSecrets(message), fix: forAccount(fix, account) }
  }
  const kind = error instanceof Error ? error.name : typeof error
  return {
    refused: true,
    code: 'response_unexpected',
    reason: `an unforeseen fault (${kind})`,
    fix: 'try again; report it if it happens again',
  }
}
