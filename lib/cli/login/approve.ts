import { ConfigurationError } from '../../model/errors.ts'
import { localInstant } from '../../model/time/local-time.ts'
import { ensureSigningKey, storedSigningKeys } from '../../site/signing-keys.ts'
import { webhookPath } from '../../site/webhook-path.ts'
import { deployCommand } from '../backend/installation.ts'
import { UsageError } from '../terminal/usage-error.ts'
import { endOfRefusal, type LoginEnd } from './end.ts'
import { siteIsUp } from './site.ts'
import { type LoginTask, recordOf } from './task.ts'
import { watchForLogin } from './watch.ts'

/**
 * Has the broker ask the account holder in its app and waits for the answer, which the broker posts to the site.
 * Throws UsageError, ConfigurationError, StateStoreError.
 */
export async function logInByApproval(task: LoginTask, siteUrl: string | undefined): Promise<LoginEnd> {
  const { account, broker, composition, terminal } = task
  const { waitSeconds } = approvalOf(task)
  if (siteUrl === undefined || !(await siteIsUp(task, siteUrl))) throw nobodyReceives(task, siteUrl)
  const before = await recordOf(task)
  const asked = await composition.logins.requestApproval({ account })
  if ('refused' in asked) return endOfRefusal(account, asked)

  const { approval } = await recordOf(task)
  const until = approval && localInstant(approval.openUntil, broker.session.timeZone)
  const say = terminal.json ? terminal.note : terminal.print
  const minutes = Math.round(waitSeconds / 60)
  say(`${broker.displayName} was told to ask ${account}'s holder: approve in its app.`)
  say(
    `Waiting up to ${minutes} minutes${until === undefined ? '' : `; the request itself stays open until ${until}`}.`,
  )
  const over = new AbortController()
  const patience = setTimeout(() => over.abort(), waitSeconds * 1000)
  try {
    const watching = watchForLogin(task, before, { signal: over.signal, onFailure: () => undefined })
    return (await Promise.race([watching, task.interrupted])) ?? notApproved(task, minutes, until)
  } finally {
    clearTimeout(patience)
    over.abort()
  }
}

/** The address to register at the broker for an account's approvals; whoever has it can try to post tokens. */
export async function webhookUrl(task: LoginTask, siteUrl: string | undefined): Promise<string> {
  const { account, composition } = task
  approvalOf(task)
  if (siteUrl === undefined) throw nobodyReceives(task, siteUrl)
  const { vault, clock } = composition.ports
  await ensureSigningKey(vault)
  return `${siteUrl}${await webhookPath(storedSigningKeys(vault, clock), account)}`
}

function approvalOf({ broker }: LoginTask) {
  if (broker.login?.approval) return broker.login.approval
  throw new UsageError(`${broker.displayName} has no approval in an app of its own`, 'leave the option out')
}

function nobodyReceives(
  { account, composition }: LoginTask,
  siteUrl: string | undefined,
): ConfigurationError {
  const here = composition.backend === 'local'
  return new ConfigurationError(
    here
      ? `nobody would receive the answer: no serve of these accounts answers at ${siteUrl}`
      : 'nobody would receive the answer: the stack has no site',
    {
      fix: here
        ? `run tokenkeeper serve, behind an address the broker can reach; set "site": { "url": … } to that address in cdk.json, and register the notifier URL: tokenkeeper login ${account} --webhook-url`
        : `set "site": { "enabled": true } in cdk.json and run ${deployCommand()}`,
    },
  )
}

function notApproved({ account }: LoginTask, minutes: number, until: string | undefined): LoginEnd {
  return {
    success: false,
    account,
    code: 'timeout',
    reason: `nobody approved within ${minutes} minutes${until === undefined ? '' : `; the request stays open until ${until}`}`,
    fix: `approve in the app, or log in on the web: tokenkeeper login ${account}`,
  }
}
