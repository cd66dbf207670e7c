import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

/** Where distributions put it; CHROMIUM names another place. */
const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** The browser of this machine. Throws when there is none: a suite that skips itself proves nothing. */
export async function launchChromium(): Promise<Browser> {
  const executablePath = [process.env['CHROMIUM'] ?? '', ...PLACES].find(
    (path) => path !== '' && existsSync(path),
  )
  if (executablePath === undefined) {
    throw new Error(
      'there is no Chromium: install it (Debian: apt-get install chromium), or name it in CHROMIUM',
    )
  }
  // Containers run as root, where Chromium's own sandbox refuses to work.
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] })
}
