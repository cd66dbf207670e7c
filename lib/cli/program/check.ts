import { Temporal } from 'temporal-polyfill'
import { neededUntil } from '../../client/need.ts'
import { localInstant } from '../../model/time/local-time.ts'
import { EXIT } from '../terminal/exit-codes.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { textTable } from '../terminal/text-table.ts'
import type { ProgramAccount, ProgramOptions } from './accounts.ts'
import { type Judged, judge, type TokenVerdict, verdictOfError } from './known-token.ts'
import { needOf, openAccounts } from './source.ts'

export interface CheckOptions extends ProgramOptions {
  readonly live?: boolean
}

/**
 * `tokenkeeper check`: whether each account's token provably lasts as long as it is needed. Nothing is renewed; the
 * broker is asked with --live only. The highest exit code of an account wins: first what must be set right (5), then
 * who must log in (4), then what the keeper can mend (3).
 */
export async function check(
  texts: readonly string[],
  options: CheckOptions,
  terminal: Terminal,
): Promise<number> {
  const need = needOf(options)
  const opened = await openAccounts(texts, options, terminal)
  try {
    const checked = await Promise.all(
      opened.accounts.map(async (one) => {
        const { account } = one.source
        try {
          const until = neededUntil(need, one.session, opened.clock.now())
          return await verdictOn(one, { until, now: opened.clock.now() }, options.live === true)
        } catch (error) {
          return verdictOfError(error, account)
        }
      }),
    )
    const exitCode = Math.max(EXIT.ok, ...checked.map((one) => one.exitCode))
    if (terminal.json) terminal.object({ success: exitCode === EXIT.ok, accounts: checked })
    else show(checked, opened.accounts, terminal)
    return exitCode
  } finally {
    await opened.close()
  }
}

async function verdictOn(one: ProgramAccount, judged: Judged, live: boolean): Promise<TokenVerdict> {
  // The broker's word first: a refusal is on record then, and the keeper knows that it has to renew.
  const proof = live ? await one.validate() : undefined
  return judge(await one.knownToken(), { ...judged, proof })
}

function show(
  checked: readonly TokenVerdict[],
  accounts: readonly ProgramAccount[],
  terminal: Terminal,
): void {
  const rows = checked.map(({ account, good, exitCode, verdict, validUntil, fix }, index) => [
    account,
    validUntil === null ? '-' : inZone(validUntil, accounts[index]),
    {
      text: verdict,
      style: good
        ? ('green' as const)
        : exitCode === EXIT.loginNeeded
          ? ('yellow' as const)
          : ('red' as const),
    },
    fix ?? '-',
  ])
  terminal.print(textTable(['Account', 'Valid until', 'Verdict', 'What to do'], rows, terminal))
}

function inZone(iso: string, account: ProgramAccount | undefined): string {
  return localInstant(Temporal.Instant.from(iso), account?.source.broker.session.timeZone ?? 'UTC')
}
