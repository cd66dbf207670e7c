import type { LocalServer } from '../../local/local-server.ts'
import { ConfigurationError } from '../../model/errors.ts'
import type { CodeLogin } from '../../ports/broker/login.ts'
import { COMMAND_LINE, type Started } from '../../ports/login-service.ts'
import { LOGIN_OPEN_MINUTES } from '../../tokens/login/attempts.ts'
import { isRemote, type OpenedBrowser, openInBrowser } from './browser.ts'
import { endOfRefusal, type LoginEnd } from './end.ts'
import { finishPasted, finishTask, isWorthAnotherLine, tellEnd } from './finish.ts'
import { listenForCallback, loopbackPort } from './listener.ts'
import type { LoginTask } from './task.ts'

const MINUTE_MS = 60_000

/**
 * A login that begins and ends at this command: the person is sent to the broker, and either the browser comes back
 * to a listener on this machine or the person brings the address it ended at. Throws Cancelled, StateStoreError.
 */
export async function logInHere(
  task: LoginTask,
  login: CodeLogin,
  callbackUrl: string | undefined,
): Promise<LoginEnd> {
  const { account, broker, composition, lines, opens } = task
  const started = await composition.logins.start({ account, browser: COMMAND_LINE, callbackUrl })
  if ('refused' in started) return endOfRefusal(account, started)

  const ended = Promise.withResolvers<LoginEnd>()
  let finishing = 0
  const finish = async (work: Promise<LoginEnd>): Promise<LoginEnd> => {
    finishing += 1
    try {
      return await work
    } finally {
      finishing -= 1
    }
  }
  const fromBrowser = async (query: string): Promise<LoginEnd> => {
    const order = { by: 'redirect', broker: broker.id, query, browser: COMMAND_LINE } as const
    const end = await finish(finishTask(order, task))
    ended.resolve(end)
    return end
  }
  const listener = await listening(started, fromBrowser)
  const browser = opens ? await openInBrowser(started.authorizationUrl) : undefined
  invite(task, started, listener, browser)
  const patience = setTimeout(() => ended.resolve(tooLate(task)), LOGIN_OPEN_MINUTES * MINUTE_MS)
  const pasting = async (): Promise<void> => {
    for (;;) {
      const text = await lines.next('Paste that address here: ')
      if (text === undefined) {
        if (!listener.server) ended.resolve(nobodyToAsk(task))
        return
      }
      const end = await finish(finishPasted(text, login, task))
      if (!lines.interactive || !isWorthAnotherLine(end)) {
        ended.resolve(end)
        return
      }
      tellEnd(end, task)
    }
  }
  pasting().catch(ended.reject)
  task.interrupted.catch((error) => finishing === 0 && ended.reject(error))
  try {
    return await ended.promise
  } finally {
    clearTimeout(patience)
    lines.release()
    await Promise.all([listener.server?.close(), browser?.close()])
  }
}

interface Listening {
  readonly server?: LocalServer
  /** Why nobody listens where one of us could. */
  readonly obstacle?: string
}

async function listening(
  { redirectUri, loginId }: Started,
  finish: (query: string) => Promise<LoginEnd>,
): Promise<Listening> {
  if (loopbackPort(redirectUri) === undefined) return {}
  try {
    return { server: await listenForCallback({ redirectUri, loginId, finish }) }
  } catch (error) {
    if (error instanceof ConfigurationError) return { obstacle: error.message }
    throw error
  }
}

/** What the person is to do. The address stands alone on its line: it is copied from there, by hand or by a program. */
function invite(
  { broker, composition, terminal, lines }: LoginTask,
  { authorizationUrl, redirectUri }: Started,
  { server, obstacle }: Listening,
  browser: OpenedBrowser | undefined,
): void {
  const say = terminal.json ? terminal.note : terminal.print
  say(
    browser
      ? `Your browser opens the login of ${broker.displayName}. If it does not, open this address:\n`
      : `Open this address in a browser and log in at ${broker.displayName}:\n`,
  )
  terminal.address(authorizationUrl)
  say('')
  const { origin, pathname } = new URL(redirectUri)
  const end = `${origin}${pathname}`
  if (server && !isRemote(composition.env)) {
    say(`Waiting up to ${LOGIN_OPEN_MINUTES} minutes for the browser to come back to ${end}.`)
    if (lines.interactive) say('If it cannot, copy the whole address it shows.')
    return
  }
  if (obstacle) say(`Nobody can wait for the browser here: ${obstacle}.`)
  say(
    server || obstacle
      ? `After the login the browser ends at ${end}, which need not show anything.`
      : `After the login you end at ${end}, on a page that may show an error.`,
  )
  say(`Copy the whole address of that page, within ${LOGIN_OPEN_MINUTES} minutes.`)
}

function tooLate({ account }: LoginTask): LoginEnd {
  return {
    success: false,
    account,
    code: 'timeout',
    reason: `nobody finished the login within ${LOGIN_OPEN_MINUTES} minutes; nothing was changed`,
    fix: `begin again: tokenkeeper login ${account}`,
  }
}

/** Input has ended before anything was pasted, and no browser can come back to us. */
function nobodyToAsk({ account }: LoginTask): LoginEnd {
  return {
    success: false,
    account,
    code: 'timeout',
    reason: 'nobody is here to paste the address on which the login ends',
    fix: `in a terminal, run tokenkeeper login ${account}; or in two steps, the second with what the browser ended at on stdin: tokenkeeper login ${account} --print-url, then tokenkeeper login ${account} --code -`,
  }
}
