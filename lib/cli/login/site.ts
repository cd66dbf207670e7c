import { TokenkeeperError } from '../../model/errors.ts'
import { loginLinks } from '../../site/login-links.ts'
import { ensureSigningKey, storedSigningKeys } from '../../site/signing-keys.ts'
import { LOGIN_OPEN_MINUTES } from '../../tokens/login/attempts.ts'
import { callbackUrlOf } from '../backend/callback-url.ts'
import { isServed } from '../serve/served-site.ts'
import { openInBrowser } from './browser.ts'
import type { LoginEnd } from './end.ts'
import { tellEnd } from './finish.ts'
import { type LoginTask, recordOf } from './task.ts'
import { watchForLogin } from './watch.ts'

const MINUTE_MS = 60_000

/**
 * The login page, where it is up and the broker sends the browser back to it: signed, for one account. `undefined`
 * where the login has to end at this command. Throws what the stores throw.
 */
export async function loginPageFor(
  task: LoginTask,
  siteUrl: string | undefined,
): Promise<string | undefined> {
  const { account, broker, composition } = task
  if (siteUrl === undefined) return undefined
  const { vault, clock } = composition.ports
  const stored = (await vault.read(account, ['redirect_uri'])).get('redirect_uri')?.value.reveal()
  if (stored !== undefined && stored !== callbackUrlOf(siteUrl, broker.id)) return undefined
  if (!(await siteIsUp(task, siteUrl))) return undefined
  try {
    await ensureSigningKey(vault)
  } catch (error) {
    // Who may not write the key still has this command to log in with.
    if (error instanceof TokenkeeperError) return undefined
    throw error
  }
  const links = loginLinks({ keys: storedSigningKeys(vault, clock), siteUrl, clock })
  const incident = (await recordOf(task)).incident?.id
  return links.forIncident(
    account,
    incident ?? `${account}@${clock.now().toString({ smallestUnit: 'second' })}`,
  )
}

/**
 * Whether the login page of these accounts answers. Where it does not, a browser that the broker sends there stays at
 * an address that can be copied; where it does, the page takes only the logins that were begun on it.
 */
export async function siteIsUp(
  { composition }: Pick<LoginTask, 'composition'>,
  siteUrl: string,
): Promise<boolean> {
  const home = composition.backend === 'aws' ? undefined : composition.home
  return isServed(siteUrl, composition.ports.http, home)
}

/** Sends the person to the login page and waits until the account's record shows a login. Throws StateStoreError. */
export async function logInAtSite(task: LoginTask, page: string): Promise<LoginEnd> {
  const { broker, terminal, opens } = task
  const before = await recordOf(task)
  const browser = opens ? await openInBrowser(page) : undefined
  const say = terminal.json ? terminal.note : terminal.print
  say(
    `${browser ? 'Your browser opens' : 'Open'} the login page${browser ? '. If it does not, open this address' : ''}:\n`,
  )
  terminal.address(page)
  say(`\nWaiting up to ${LOGIN_OPEN_MINUTES} minutes for a login at ${broker.displayName} there.`)
  const over = new AbortController()
  const ended = Promise.withResolvers<LoginEnd>()
  const patience = setTimeout(() => ended.resolve(tooLate(task)), LOGIN_OPEN_MINUTES * MINUTE_MS)
  const onFailure = (end: LoginEnd): void => {
    tellEnd(end, task)
    say('Still waiting: try again on the page.')
  }
  watchForLogin(task, before, { signal: over.signal, onFailure })
    .then((end) => end && ended.resolve(end))
    .catch(ended.reject)
  task.interrupted.catch(ended.reject)
  try {
    return await ended.promise
  } finally {
    clearTimeout(patience)
    over.abort()
    await browser?.close()
  }
}

function tooLate({ account }: LoginTask): LoginEnd {
  return {
    success: false,
    account,
    code: 'timeout',
    reason: `nobody logged in within ${LOGIN_OPEN_MINUTES} minutes; nothing was changed`,
    fix: `begin again: tokenkeeper login ${account}`,
  }
}
