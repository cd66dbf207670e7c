import { randomBytes } from 'node:crypto'
import { Hono } from 'hono'
import { startLocalServer } from '../../local/local-server.ts'
import type { Environment } from '../backend/setting.ts'
import type { Terminal } from '../terminal/terminal.ts'

/** Whether a browser on this machine is where the person is. */
export function mayOpenBrowser(
  { interactive }: Pick<Terminal, 'interactive'>,
  env: Environment,
  platform: NodeJS.Platform = process.platform,
): boolean {
  if (!interactive || isRemote(env)) return false
  if (platform === 'darwin' || platform === 'win32') return true
  return ['DISPLAY', 'WAYLAND_DISPLAY', 'WSL_DISTRO_NAME'].some((name) => isSet(env[name]))
}

/** Whether somebody sits at another machine. */
export function isRemote(env: Environment): boolean {
  return isSet(env['SSH_CONNECTION']) || isSet(env['SSH_TTY'])
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== ''
}

export interface OpenedBrowser {
  /** The address the browser was given has no use any more. */
  close(): Promise<void>
}

/**
 * Opens an address in the browser. A browser is started with what it is to open on its command line, which every user
 * of the machine can read: so it is given an address of ours that works once and leads on to the real one. `undefined`
 * when no browser could be started; the person has the address anyway.
 */
export async function openInBrowser(address: string): Promise<OpenedBrowser | undefined> {
  const path = `/${randomBytes(16).toString('base64url')}`
  let used = false
  const app = new Hono()
  app.get(path, (context) => {
    if (used || context.req.raw.method !== 'GET') return context.text('This address was used already.', 410)
    used = true
    context.header('cache-control', 'no-store')
    context.header('referrer-policy', 'no-referrer')
    return context.redirect(address, 303)
  })
  try {
    const server = await startLocalServer(app, 0)
    try {
      const { default: open } = await import('open')
      const child = await open(`${server.url}${path}`)
      child.on('error', () => undefined)
      return server
    } catch {
      await server.close()
      return undefined
    }
  } catch {
    return undefined
  }
}
