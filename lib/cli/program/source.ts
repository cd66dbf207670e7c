import type { TokenLifeNeeded } from '../../client/need.ts'
import { secondsIn } from '../../client/need.ts'
import { ConfigurationError } from '../../model/errors.ts'
import { wishIn } from '../accounts/account-arguments.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { UsageError } from '../terminal/usage-error.ts'
import type { ProgramAccounts, ProgramOptions } from './accounts.ts'

/**
 * The accounts a program is after, all where none is named: over REST where TOKENKEEPER_URL is set and no backend is
 * asked for, else from the stores of the backend. Throws UsageError, ConfigurationError and what the stores throw.
 */
export async function openAccounts(
  texts: readonly string[],
  options: ProgramOptions,
  terminal: Terminal,
): Promise<ProgramAccounts> {
  const wish = wishIn(texts, options)
  const url = options.url ?? (options.backend === undefined ? process.env['TOKENKEEPER_URL'] : undefined)
  if (url && options.backend) {
    throw new UsageError('--url and --backend exclude each other', 'give one of them')
  }
  const opened = url
    ? await (await import('./rest.ts')).restAccounts(wish, url, options)
    : await (await import('./stores.ts')).storedAccounts(wish, options, terminal)
  if (opened.accounts.length > 0) return opened
  await opened.close()
  throw new ConfigurationError('no account is set up', {
    fix: `run tokenkeeper setup ${texts[0] ?? 'fyers'}`,
  })
}

/** How long a token must last. Throws UsageError for what is no time span. */
export function needOf({ minValidFor, until }: ProgramOptions): TokenLifeNeeded {
  try {
    // A bare number of seconds, as the client takes it, is a text here.
    const seconds = minValidFor === undefined ? undefined : secondsIn(numberOr(minValidFor))
    return { minValidFor: seconds, until }
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    throw new UsageError('--min-valid-for is no time span', error.fix)
  }
}

function numberOr(text: string): number | string {
  return /^\d+$/.test(text) ? Number(text) : text
}
