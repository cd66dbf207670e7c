import { text as readAll } from 'node:stream/consumers'
import { helpFor } from '../../accounts/needs.ts'
import { COMMAND_LINE } from '../../ports/login-service.ts'
import { LOGIN_OPEN_MINUTES } from '../../tokens/login/attempts.ts'
import { isLive } from '../../tokens/rules/token/token-status.ts'
import { type WishOptions, wishIn } from '../accounts/account-arguments.ts'
import { callbackUrlOf } from '../backend/callback-url.ts'
import { compose } from '../backend/composition.ts'
import type { GlobalOptions } from '../backend/setting.ts'
import { Cancelled } from '../terminal/cancelled.ts'
import { EXIT } from '../terminal/exit-codes.ts'
import { askHidden } from '../terminal/prompts.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { UsageError } from '../terminal/usage-error.ts'
import { accountsToLogIn, type LoginAccount, laterLogins } from './accounts.ts'
import { logInByApproval, webhookUrl } from './approve.ts'
import { mayOpenBrowser } from './browser.ts'
import { endOfRefusal, endOfSuccess, exitCodeOfLogins, type LoginEnd } from './end.ts'
import { explained, finishPasted, tellEnd } from './finish.ts'
import { logInHere } from './here.ts'
import { stdinLines } from './lines.ts'
import { logInAtSite, loginPageFor, siteIsUp } from './site.ts'
import { type LoginTask, recordOf } from './task.ts'

export interface LoginOptions extends GlobalOptions, WishOptions {
  /** Only says where to log in. */
  readonly printUrl?: boolean
  /** What came back from there; `-` reads it from stdin. */
  readonly code?: string
  /** @default true */
  readonly open?: boolean
  readonly approve?: boolean
  readonly webhookUrl?: boolean
}

/** The steps that can be asked for alone, as they are written on the command line. */
const STEPS = [
  ['printUrl', '--print-url'],
  ['code', '--code'],
  ['approve', '--approve'],
  ['webhookUrl', '--webhook-url'],
] as const

/**
 * `tokenkeeper login`: brings accounts a token that only a person can get. Without an account it takes all that need
 * one, one after the other. Throws UsageError, ConfigurationError, Cancelled, and what the stores throw.
 */
export async function login(
  texts: readonly string[],
  options: LoginOptions,
  terminal: Terminal,
): Promise<number> {
  const steps = STEPS.filter(([name]) => options[name] !== undefined).map(([, flag]) => flag)
  if (steps.length > 1) throw new UsageError(`${steps.join(' and ')} do not go together`, 'use one of them')
  const wish = wishIn(texts, options)
  const unnamed = wish.all || wish.accounts.length === 0
  const [step] = steps
  if (step !== undefined && (unnamed || wish.accounts.length !== 1)) {
    throw new UsageError(`${step} is about one account`, `name it: tokenkeeper login fyers ${step}`)
  }
  const composition = await compose(options, terminal)
  const { promise: interrupted, reject } = Promise.withResolvers<never>()
  // Nobody may be waiting for it at the moment.
  interrupted.catch(() => undefined)
  const interrupt = (): void => reject(new Cancelled())
  process.on('SIGINT', interrupt)
  const lines = stdinLines(terminal, interrupt)
  try {
    const accounts = await accountsToLogIn(wish, composition, terminal)
    const opens = options.open !== false && mayOpenBrowser(terminal, composition.env)
    const taskOf = (one: LoginAccount): LoginTask => ({
      ...one,
      composition,
      terminal,
      lines,
      opens,
      interrupted,
    })
    const [only] = accounts
    if (only && options.printUrl) return await printUrl(taskOf(only))
    if (only && options.webhookUrl) return await printWebhookUrl(taskOf(only))
    if (accounts.length === 0) return tellNone(await laterLogins(wish, composition), terminal)
    return await logInAll(accounts.map(taskOf), { ...options, unnamed }, terminal)
  } finally {
    process.off('SIGINT', interrupt)
    lines.close()
    await composition.close()
  }
}

async function logInAll(
  tasks: readonly LoginTask[],
  { unnamed, ...options }: LoginOptions & { readonly unnamed: boolean },
  terminal: Terminal,
): Promise<number> {
  const ends: LoginEnd[] = []
  for (const [index, task] of tasks.entries()) {
    if (tasks.length > 1) {
      const title = `${index + 1} of ${tasks.length}: ${task.account}`
      terminal.print(`${index > 0 ? '\n' : ''}${terminal.style('bold', title)}\n`)
    }
    // The page shows them all: those behind may have been logged in meanwhile.
    const done = index > 0 && unnamed ? await needlessLogin(task) : undefined
    const end = done ?? (await explained(await logIn(task, options), task))
    tellEnd(end, task)
    ends.push(end)
  }
  if (terminal.json) terminal.object({ success: ends.every(({ success }) => success), logins: ends })
  return exitCodeOfLogins(ends)
}

/** Nobody has to log in now; for some accounts it is only too early. */
function tellNone(later: Awaited<ReturnType<typeof laterLogins>>, terminal: Terminal): number {
  const names = later.map(({ account, from }) => `${account} from ${from} on`)
  if (terminal.json) terminal.object({ success: true, logins: [], later })
  else
    terminal.print(
      names.length > 0 ? `No login helps yet: ${names.join(', ')}.` : 'No account needs a login.',
    )
  return EXIT.ok
}

/** The end of a login that nobody need begin: the account has what it would bring. */
async function needlessLogin(task: LoginTask): Promise<LoginEnd | undefined> {
  const record = await recordOf(task)
  const now = task.composition.ports.clock.now()
  if (!isLive(record, now) || helpFor(task.broker, record, now)) return undefined
  const end = endOfSuccess(task.broker, record, now)
  return { ...end, reason: `no login is needed: ${end.reason}` }
}

async function logIn(task: LoginTask, { code, approve }: LoginOptions): Promise<LoginEnd> {
  const { account, broker, composition } = task
  const codeLogin = broker.login?.code
  // What is handed in needs no address of ours, so nobody has to be allowed to ask for it.
  if (code !== undefined && codeLogin) return finishPasted(await given(code), codeLogin, task)
  const siteUrl = await composition.siteUrl()
  if (approve) return logInByApproval(task, siteUrl)
  const callbackUrl = callbackUrlOf(siteUrl, broker.id)
  if (!codeLogin) return endOfRefusal(account, await refusedStart(task, callbackUrl))
  const page = await loginPageFor(task, siteUrl)
  if (page === undefined) return logInHere(task, codeLogin, callbackUrl)
  // The page has a button only for accounts that need somebody.
  return (await needlessLogin(task)) ?? logInAtSite(task, page)
}

/** The service knows why an account of this broker has no login here. */
async function refusedStart({ account, composition }: LoginTask, callbackUrl: string | undefined) {
  const started = await composition.logins.start({ account, browser: COMMAND_LINE, callbackUrl })
  if ('refused' in started) return started
  throw new Error('a broker without a login has begun one')
}

/** An argument can be read by every user of the machine, so stdin is the better way. */
async function given(code: string): Promise<string> {
  if (code !== '-') return code
  return process.stdin.isTTY
    ? askHidden('The whole address the login ended at, or its code (not shown)')
    : readAll(process.stdin)
}

/** Step one alone: the address and nothing else on stdout. The login it begins ends at this machine's command line. */
async function printUrl(task: LoginTask): Promise<number> {
  const { account, broker, composition, terminal } = task
  const callbackUrl = callbackUrlOf(await composition.siteUrl(), broker.id)
  const started = await composition.logins.start({ account, browser: COMMAND_LINE, callbackUrl })
  if ('refused' in started) return toldRefusal(await explained(endOfRefusal(account, started), task), task)
  const { authorizationUrl: url, redirectUri } = started
  if (terminal.json) {
    const expiresInSeconds = LOGIN_OPEN_MINUTES * 60
    terminal.verbatim(JSON.stringify({ success: true, account, url, redirectUri, expiresInSeconds }, null, 2))
    return EXIT.ok
  }
  terminal.verbatim(url)
  if (redirectUri === callbackUrl && (await siteIsUp(task, new URL(redirectUri).origin))) {
    terminal.note(
      `${broker.displayName} will send the browser to the login page, which takes only logins begun there. Begin it there: tokenkeeper login ${account}`,
    )
    return EXIT.ok
  }
  terminal.note(
    `Log in there within ${LOGIN_OPEN_MINUTES} minutes. Then hand in the whole address on which the browser ends: tokenkeeper login ${account} --code -`,
  )
  return EXIT.ok
}

async function printWebhookUrl(task: LoginTask): Promise<number> {
  const { account, broker, composition, terminal } = task
  const url = await webhookUrl(task, await composition.siteUrl())
  if (terminal.json) {
    terminal.verbatim(JSON.stringify({ success: true, account, url }, null, 2))
    return EXIT.ok
  }
  terminal.verbatim(url)
  terminal.note(
    `Register it as the notifier URL of the app at ${broker.displayName}, and show it to nobody else.`,
  )
  if (!url.startsWith('https:')) {
    terminal.note(
      `${broker.displayName} cannot reach this machine: set "site": { "url": … } in cdk.json to the https address of a tunnel to it.`,
    )
  }
  return EXIT.ok
}

function toldRefusal(end: LoginEnd, task: LoginTask): number {
  if (task.terminal.json) task.terminal.object({ success: false, logins: [end] })
  else tellEnd(end, task)
  return exitCodeOfLogins([end])
}
