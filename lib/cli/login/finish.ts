import type { LoginResult } from '../../model/account-state.ts'
import type { CodeLogin } from '../../ports/broker/login.ts'
import { COMMAND_LINE, type FinishOrder } from '../../ports/login-service.ts'
import { accountOfState, loginCalled, loginIdOf } from '../../tokens/login/attempts.ts'
import { readPasted } from '../../tokens/login/pasted-login.ts'
import { keptLogin } from '../../tokens/rules/token/kept-login.ts'
import { endOfRefusal, endOfResult, endOfSuccess, type LoginEnd, sentencesOf } from './end.ts'
import { type LoginTask, recordOf } from './task.ts'

/** Another process may be at the same callback: its work and its lease are over by then. */
const RESULT_PATIENCE_MS = 25_000
const RESULT_POLL_MS = 500
const REFUSED_LATER = {
  code: 'grant_rejected',
  reason: 'the broker refused the new token when it was proven',
  fix: 'log in again',
} as const

/** What an end must have for the person to try once more with what they hold. */
export function isWorthAnotherLine({ code }: LoginEnd): boolean {
  return code === 'useless' || code === 'unknown_state' || code === 'other_browser'
}

/** Ends a login with what a person copied: a whole address, its query or a bare code. Throws StateStoreError. */
export async function finishPasted(text: string, login: CodeLogin, task: LoginTask): Promise<LoginEnd> {
  const { account, broker, composition } = task
  const record = await recordOf(task)
  const pasted = readPasted(text, login, (state) => loginCalled(record, loginIdOf(state))?.redirectUri)
  switch (pasted.kind) {
    case 'useless':
      return {
        success: false,
        account,
        code: 'useless',
        reason: `this cannot be used: ${pasted.why}`,
        fix: 'copy the whole address of the page on which your browser ended after the login',
      }
    case 'code':
      return finishTask({ by: 'code', account, code: pasted.code }, task)
    case 'redirect': {
      const other = accountOfState(pasted.state)
      if (other === undefined || other === account) {
        const { query } = pasted
        return finishTask({ by: 'redirect', broker: broker.id, query, browser: COMMAND_LINE }, task)
      }
      const known = await composition.ports.states.get(other)
      return {
        success: false,
        account,
        code: 'unknown_state',
        reason: `this address belongs to a login of ${known ? other : 'another account'}`,
        fix: `begin one of this account: tokenkeeper login ${account}`,
      }
    }
  }
}

/** Has the service end a login, and tells how that went. Throws StateStoreError. */
export async function finishTask(order: FinishOrder, task: LoginTask): Promise<LoginEnd> {
  const { account, broker, composition } = task
  const finished = await composition.logins.finish(order)
  if ('refused' in finished) return endOfRefusal(account, finished)
  const result = await recordedResult(finished.loginId, task)
  if (result?.kept) return endOfKept(finished.loginId, result, task)
  if (result) return endOfResult(broker, await recordOf(task), result, composition.ports.clock.now())
  return {
    success: false,
    account,
    code: 'ambiguous',
    reason: 'nobody knows how this login ended: the process that was at it has not said so',
    fix: `look at it: tokenkeeper status ${account}`,
  }
}

async function endOfKept(loginId: string, result: LoginResult, task: LoginTask): Promise<LoginEnd> {
  const { broker, composition, terminal, account } = task
  terminal.note(
    `${account}: logged in; ${broker.displayName} does not prove the new token yet, which is kept. Trying on.`,
  )
  const state = await (await import('./kept.ts')).afterProof(task)
  const now = composition.ports.clock.now()
  const attempt = loginCalled(state, loginId)
  switch (attempt && keptLogin(state, attempt)) {
    case 'published':
      return endOfSuccess(broker, state, now)
    case 'gone':
      return endOfResult(broker, state, { ...result, ...REFUSED_LATER }, now)
    default:
      return endOfResult(broker, state, result, now)
  }
}

async function recordedResult(loginId: string, task: LoginTask): Promise<LoginResult | undefined> {
  const { clock } = task.composition.ports
  for (let waited = 0; waited < RESULT_PATIENCE_MS; waited += RESULT_POLL_MS) {
    const result = loginCalled(await recordOf(task), loginId)?.result
    if (result) return result
    await clock.sleep(RESULT_POLL_MS)
  }
  return undefined
}

/** The same end, in plainer words where the account never had an app to log in to. */
export async function explained(end: LoginEnd, task: LoginTask): Promise<LoginEnd> {
  if (end.success || end.code !== 'configuration_invalid') return end
  const { account, broker, composition } = task
  const { vault, hosts } = composition.ports
  const { settings } = await recordOf(task)
  const needs = broker.login?.code?.needs ?? []
  const isUpstream = broker.grants.some(
    ({ kind, enabled }) =>
      kind === 'upstream' && enabled?.(settings, { ...broker.hosts, ...hosts }) !== false,
  )
  if (!isUpstream || needs.length === 0 || (await vault.read(account, needs)).size > 0) return end
  return {
    ...end,
    reason: `${account} has no app of its own: its tokens come from a token service, where its login is approved`,
    fix: `approve it there; or give the account an app of its own: tokenkeeper setup ${account} --option upstream=off`,
  }
}

/** The end in words, on as many lines as it takes. */
export function tellEnd(end: LoginEnd, { terminal, account }: Pick<LoginTask, 'terminal' | 'account'>): void {
  if (terminal.json) return
  const { success, fix } = end
  if (success) {
    terminal.print(`${terminal.style('green', account)}: ${end.reason}`)
    for (const sentence of end.also ?? []) terminal.print(`  ${sentence}`)
    return
  }
  const what = end.code === 'useless' ? '' : `${terminal.style('red', account)}: not logged in. `
  terminal.note(`${what}${sentencesOf(end)}`)
  if (fix) terminal.note(`${terminal.style('bold', 'Fix:')} ${fix}`)
}
