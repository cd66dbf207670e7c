import { TokenkeeperError } from '../../model/errors.ts'
import { type AccountsWish, type WishOptions, wishIn } from '../accounts/account-arguments.ts'
import { chosenAccounts } from '../accounts/chosen-accounts.ts'
import { type Composition, compose, readSetting } from '../backend/composition.ts'
import type { GlobalOptions } from '../backend/setting.ts'
import { EXIT } from '../terminal/exit-codes.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { accountFindings } from './accounts.ts'
import { awsFindings } from './aws.ts'
import { dayFindings } from './days.ts'
import { type Finding, fail, pass, warn } from './finding.ts'
import { hostFindings } from './hosts.ts'
import { homeFindings, nodeFinding } from './machine.ts'
import { mirrorFindings } from './mirrors.ts'
import { scheduleFindings } from './schedules.ts'
import { selfTest } from './self-test.ts'

export interface DoctorOptions extends GlobalOptions, WishOptions {
  /** Renew each account's token as well, to see the whole story work. */
  readonly selfTest?: boolean
}

/**
 * `tokenkeeper doctor`: checks one thing after another, and says what is wrong and how to mend it; what is right only
 * with --verbose or --json. Changes nothing, unless the self-test is asked for, which renews, and is told whole.
 */
export async function doctor(
  texts: readonly string[],
  options: DoctorOptions,
  terminal: Terminal,
): Promise<number> {
  const findings: Finding[] = []
  const isWhole = terminal.verbose || options.selfTest === true
  const found = (...more: readonly Finding[]): void => {
    findings.push(...more)
    for (const finding of more) {
      if (isWhole || isProblem(finding)) terminal.print(lineOf(finding, terminal))
    }
  }
  const wish = wishIn(texts, options)
  found(nodeFinding())
  const setting = await attempt(() => readSetting(options), found)
  if (setting) {
    found(
      pass(
        'configuration',
        `valid, backend ${setting.backend}, brokers ${setting.brokers.map(({ broker }) => broker.id).join(', ')}`,
      ),
    )
    if (setting.backend === 'local') found(...homeFindings(setting.home))
    const composition = await attempt(() => compose(options, terminal), found)
    if (composition) {
      try {
        await checkWorld(wish, composition, found)
        if (options.selfTest) found(...((await attempt(() => selfTest(wish, composition), found)) ?? []))
      } finally {
        await composition.close()
      }
    }
  }
  const count = (wanted: Finding['verdict']): number =>
    findings.filter(({ verdict }) => verdict === wanted).length
  const failed = count('fail')
  if (terminal.json) terminal.object({ success: failed === 0, findings })
  else terminal.print(`${count('pass')} passed, ${count('warn')} to look at, ${failed} failed`)
  return failed > 0 ? EXIT.configuration : EXIT.ok
}

type Found = (...findings: readonly Finding[]) => void

async function checkWorld(wish: AccountsWish, composition: Composition, found: Found): Promise<void> {
  if (composition.backend === 'aws') found(...(await awsFindings(composition)))
  const { unwritable } = composition
  if (unwritable) found(fail('home', `nothing can be recorded: ${unwritable.says}`, unwritable.fix))
  found(...((await attempt(() => mirrorFindings(composition), found)) ?? []))
  const known = await attempt(() => chosenAccounts(wish, composition), found)
  if (!known) return
  found(pass('state store', `readable, ${known.length} account${known.length === 1 ? '' : 's'}`))
  if (known.length === 0) found(warn('accounts', 'none is set up', 'run tokenkeeper setup fyers'))
  for (const one of known) found(...(await accountFindings(one, composition)))
  const brokers = new Set(known.map(({ broker }) => broker))
  const enabled = composition.brokers.filter(({ broker }) => brokers.has(broker))
  for (const one of enabled) found(...scheduleFindings(one, composition.ports.clock))
  found(...dayFindings(known, composition.ports.clock))
  for (const broker of brokers) found(...(await hostFindings(broker, composition)))
}

async function attempt<T>(work: () => Promise<T>, found: Found): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof TokenkeeperError)) throw error
    const what = error.code === 'state' ? 'state store' : 'configuration'
    found(fail(what, error.message, error.fix))
    return undefined
  }
}

function isProblem({ verdict }: Finding): boolean {
  return verdict === 'warn' || verdict === 'fail'
}

const SIGNS = {
  pass: { sign: 'pass', style: 'green' },
  note: { sign: 'note', style: 'dim' },
  warn: { sign: 'warn', style: 'yellow' },
  fail: { sign: 'FAIL', style: 'red' },
} as const

function lineOf({ verdict, what, says, fix }: Finding, terminal: Terminal): string {
  const { sign, style } = SIGNS[verdict]
  const mend = fix ? `\n      ${terminal.style('bold', 'fix:')} ${fix}` : ''
  return `${terminal.style(style, sign)}  ${what}: ${says}${mend}`
}
