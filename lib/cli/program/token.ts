import { TokenUnavailableError } from '../../client/errors.ts'
import { neededUntil } from '../../client/need.ts'
import type { ClientToken } from '../../client/sources/token-source.ts'
import { quoted } from '../../mirrors/dotenv-lines.ts'
import { shellWord } from '../../model/command-words.ts'
import { EXIT } from '../terminal/exit-codes.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { UsageError } from '../terminal/usage-error.ts'
import type { ProgramAccount, ProgramOptions } from './accounts.ts'
import { judge } from './known-token.ts'
import { needOf, openAccounts } from './source.ts'
import { expiryText, sessionText, variableName } from './variables.ts'

export interface TokenOptions extends ProgramOptions {
  readonly show?: boolean
  readonly dotenv?: boolean
}

/**
 * `tokenkeeper token`: prints a live access token and nothing else, where somebody has asked for that: into a pipe or
 * a file, or with --show. Renews nothing. Throws UsageError, TokenUnavailableError, and what the sources throw.
 */
export async function printToken(
  texts: readonly string[],
  options: TokenOptions,
  terminal: Terminal,
): Promise<number> {
  const onScreen = process.stdout.isTTY === true
  if (onScreen && !options.show) {
    throw new UsageError(
      'a token is not printed to a terminal unless that is asked for',
      `pipe it, or have it shown: tokenkeeper token ${shellWord(texts[0] ?? 'upstox')} --show`,
    )
  }
  if (options.dotenv && options.json) throw new UsageError('--dotenv and --json exclude each other')
  if (texts.length + (options.user?.length ?? 0) === 0) {
    throw new UsageError('whose token is not said', 'name an account: tokenkeeper token upstox')
  }
  const need = needOf(options)
  const opened = await openAccounts(texts, options, terminal)
  try {
    const [one, ...others] = opened.accounts
    if (!one || others.length > 0) {
      throw new UsageError(
        'these are several accounts',
        `name one: ${opened.accounts.map(({ source }) => source.account).join(', ')}`,
      )
    }
    const now = opened.clock.now()
    const until = neededUntil(need, one.session, now)
    await assertGood(one, judge(await one.knownToken(), { until, now }))
    const token = await one.source.read()
    terminal.verbatim(textOf(token, one, options))
    if (onScreen) terminal.note('This token stays in the scrollback of this terminal: clear it, or pipe it.')
    return EXIT.ok
  } finally {
    await opened.close()
  }
}

async function assertGood(
  { source: { account } }: ProgramAccount,
  judged: ReturnType<typeof judge>,
): Promise<void> {
  const { good, code, verdict, fix } = await judged
  if (good) return
  throw new TokenUnavailableError(`no usable token for ${account}: ${verdict}`, {
    account,
    code,
    fix: fix ?? '',
  })
}

function textOf(token: ClientToken, { source }: ProgramAccount, { json, dotenv }: TokenOptions): string {
  const { account, broker, accessToken, authorization, generation, session } = token
  if (dotenv) return dotenvLines(token)
  if (!json) return accessToken.reveal()
  const said = {
    account,
    broker,
    access_token: accessToken.reveal(),
    authorization: authorization?.reveal() ?? null,
    expires_at: expiryText(token, source.broker.session.timeZone) ?? null,
    generation: generation ?? null,
    session: session ? JSON.parse(session.reveal()) : null,
  }
  return JSON.stringify(said, null, 2)
}

/** Lines that the dotenv library and every shell read alike. */
function dotenvLines(token: ClientToken): string {
  const { account, broker, accessToken } = token
  const session = sessionText(token)
  const values = [
    ['ACCESS_TOKEN', accessToken.reveal()] as const,
    ...(session === undefined ? [] : [['SESSION', session] as const]),
  ]
  return values
    .map(([what, value]) => {
      const text = /[\r\n]/.test(value) ? undefined : quoted(value)
      if (text !== undefined) return `${variableName([broker], what)}=${text}`
      throw new TokenUnavailableError(`the token of ${account} cannot be written as a dotenv line`, {
        account,
        code: 'response_unexpected',
        fix: 'use --json',
      })
    })
    .join('\n')
}
