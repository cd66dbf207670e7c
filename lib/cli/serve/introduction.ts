import { BROKER_IDS } from '../../brokers/index.ts'
import type { LocalServer } from '../../local/local-server.ts'
import { VERSION } from '../../model/version.ts'
import type { Composition } from '../backend/composition.ts'
import type { Terminal } from '../terminal/terminal.ts'
import type { ServeOptions } from './options.ts'
import type { ServedWorld } from './served-world.ts'

/** Before the first number of a list of addresses. */
const LABEL_WIDTH = 21

/** What `serve` says of itself before anything happens. */
export function introduce(
  served: ServedWorld,
  { url }: LocalServer,
  { speed }: Pick<ServeOptions, 'speed'>,
  { home }: Pick<Composition, 'home'>,
  terminal: Terminal,
): void {
  if (terminal.json) return
  const bold = (text: string): string => terminal.style('bold', text)
  const line = (label: string, text: string): void => terminal.print(`${label.padEnd(LABEL_WIDTH)}${text}`)
  const { simulated, open, siteUrl, addresses } = served
  const page = `${siteUrl}/login`
  terminal.print(`\n${bold(`Tokenkeeper ${VERSION}`)}\n`)
  if (simulated) {
    const speedText = speed === 1 ? '1 minute' : `${speed} minutes`
    terminal.print(
      `${terminal.style(['bold', 'yellow'], 'SIMULATED')}  No account is set up yet, so this is a rehearsal: simulated brokers on`,
    )
    terminal.print(`this machine, invented people, and a clock that makes ${speedText} of every second.`)
    terminal.print('Nothing leaves this machine, and nothing is kept.\n')
    terminal.print(
      `Some brokers want a person every day. ${bold('Be that person:')} open the login page in a browser.`,
    )
    terminal.print('While you are there the clock runs as fast as yours.\n')
  } else {
    terminal.print(`Accounts and their secrets are in ${home}\n`)
  }
  line('Login page:', open ? bold(page) : `${page}, with the link of an alert, or of tokenkeeper login`)
  for (const [what, address] of Object.entries(addresses)) line(`${what}:`, address)
  line('For programs:', `${url}/health${open ? `  and  ${url}/token/status` : ''}`)
  if (simulated) {
    line('For a real account:', `tokenkeeper setup ${BROKER_IDS[0]}  (or ${BROKER_IDS.slice(1).join(', ')})`)
  }
  terminal.print()
}
