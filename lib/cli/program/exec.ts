import { createClient } from '../../client/client.ts'
import type { TokenLifeNeeded } from '../../client/need.ts'
import type { ClientToken } from '../../client/sources/token-source.ts'
import { unavailable, unavailableOf } from '../../client/unavailable.ts'
import type { Clock } from '../../ports/clock.ts'
import { EXIT } from '../terminal/exit-codes.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { UsageError } from '../terminal/usage-error.ts'
import type { ProgramAccount, ProgramOptions } from './accounts.ts'
import { type ChildExit, Signals } from './exec-child.ts'
import { needOf, openAccounts } from './source.ts'
import { commandEnvironment, type ZonedToken } from './variables.ts'

export interface ExecOptions extends ProgramOptions {
  readonly refreshOnExitCode?: number
}

/**
 * `tokenkeeper exec`: starts a command with live tokens in its environment and nowhere else, once there are such, and
 * ends as it does. Stores are closed while it runs. Throws UsageError, TokenUnavailableError and what the sources
 * throw; then nothing was started.
 */
export async function exec(
  texts: readonly string[],
  command: readonly string[],
  options: ExecOptions,
  terminal: Terminal,
): Promise<number> {
  if (texts.length === 0 && !options.user && !options.all)
    throw new UsageError('whose token the command needs is not said', EXAMPLE)
  if (command.length === 0) throw new UsageError('there is no command to start', EXAMPLE)
  const need = needOf(options)
  const signals = new Signals(terminal.note)
  try {
    const tokens = await withAccounts(texts, options, terminal, (account, _, clock) =>
      lasting(account, need, clock),
    )
    const [exit, last] = await runOnce(command, tokens, signals, terminal)
    if (options.refreshOnExitCode === undefined || exit.code !== options.refreshOnExitCode || exit.signal) {
      return await endAs(exit, last, signals)
    }
    const renewed = await afterRefusal(texts, tokens, options, terminal)
    if (!renewed) return await endAs(exit, signals.ended, signals)
    return await endAs(...(await runOnce(command, renewed, signals, terminal)), signals)
  } finally {
    signals.close()
  }
}

const EXAMPLE = 'write it after two dashes: tokenkeeper exec upstox -- python job.py'

/** The end, and the signal that kept the command from being started. */
type Ended = readonly [exit: ChildExit, signal: NodeJS.Signals | undefined]

async function runOnce(
  command: readonly string[],
  tokens: readonly ZonedToken[],
  signals: Signals,
  terminal: Terminal,
): Promise<Ended> {
  const env = commandEnvironment(process.env, tokens)
  if (signals.ended) return [{ code: EXIT.interrupted }, signals.ended]
  const exit = await signals.run(command, env)
  if (exit.fault !== undefined) terminal.note(`${terminal.style('red', 'Error:')} ${exit.fault}`)
  return [exit, undefined]
}

async function endAs(exit: ChildExit, kept: NodeJS.Signals | undefined, signals: Signals): Promise<number> {
  const signal = kept ?? exit.signal
  return signal ? signals.dieOf(signal) : exit.code
}

type Work = (account: ProgramAccount, index: number, clock: Clock) => Promise<ClientToken>

async function withAccounts(
  texts: readonly string[],
  options: ExecOptions,
  terminal: Terminal,
  work: Work,
): Promise<readonly ZonedToken[]> {
  const opened = await openAccounts(texts, options, terminal)
  try {
    const each = opened.accounts.map(async (account, index): Promise<ZonedToken> => {
      const { timeZone } = account.source.broker.session
      return { token: await work(account, index, opened.clock), timeZone }
    })
    // All have to end before the stores are closed: a renewal that another one's failure cut short could lose a token.
    const ends = await Promise.allSettled(each)
    const failed = ends.find((end) => end.status === 'rejected')
    if (failed) throw failed.reason
    return await Promise.all(each)
  } finally {
    await opened.close()
  }
}

/** A token that lasts, renewed when it is due. */
async function lasting(
  { source, flaw }: ProgramAccount,
  need: TokenLifeNeeded,
  clock: Clock,
): Promise<ClientToken> {
  const { account } = source
  const found = await flaw()
  if (found === 'paused') {
    throw unavailable(account, {
      code: 'paused',
      reason: 'it is paused',
      fix: `resume it when it is wanted again: tokenkeeper resume ${account}`,
    })
  }
  const client = createClient({ source, clock })
  try {
    // It is on record as dead although its time is not over: the keeper renews it without asking the broker again.
    if (found === 'refused') await source.renew({ force: false })
    const wished = need.minValidFor !== undefined || need.until !== undefined
    return await (wished ? client.getToken(need) : client.ensureValidToken())
  } finally {
    await client.close()
  }
}

/** The tokens after all were reported as refused; `undefined` where none is another one now. */
async function afterRefusal(
  texts: readonly string[],
  used: readonly ZonedToken[],
  options: ExecOptions,
  terminal: Terminal,
): Promise<readonly ZonedToken[] | undefined> {
  try {
    const tokens = await withAccounts(texts, options, terminal, async ({ source }, index) => {
      const before = used[index]?.token
      if (before?.account !== source.account) throw new UsageError('the accounts have changed meanwhile')
      try {
        return (await source.report(before)) ?? (await source.read())
      } catch (error) {
        throw unavailableOf(error, source.account)
      }
    })
    const changed = tokens.filter(
      ({ token }, index) => !used[index]?.token.accessToken.equals(token.accessToken),
    )
    if (changed.length === 0) {
      terminal.note('The broker takes the token: the command is not started again.')
      return undefined
    }
    const names = changed.map(({ token }) => token.account).join(', ')
    terminal.note(`The token of ${names} was refused and is renewed: the command is started once more.`)
    return tokens
  } catch (error) {
    const { message, fix } = error as Error & { readonly fix?: string }
    terminal.note(`${terminal.style('red', 'Error:')} ${message}`)
    if (fix) terminal.note(`${terminal.style('bold', 'Fix:')} ${fix}`)
    return undefined
  }
}
