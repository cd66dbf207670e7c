import { spawn } from 'node:child_process'
import { COMMAND, type CommandLine, type Ended, ended } from './command.ts'

/** Names of the variables that `setup` takes credentials from. */
const VARIABLES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  fyers: {
    client_id: 'FYERS_CLIENT_ID',
    client_secret: 'FYERS_APP_SECRET',
    pin: 'FYERS_PIN',
    refresh_token: 'FYERS_REFRESH_TOKEN',
  },
  zerodha: { client_id: 'KITE_API_KEY', client_secret: 'KITE_API_SECRET' },
}

/** Registers an account of the simulated world with its credentials; no token is got. */
export async function setUp(line: CommandLine, id: string, ...more: readonly string[]): Promise<void> {
  const { secrets = {} } = line.world.accounts.find((one) => one.id === id) ?? {}
  const names = VARIABLES[id.split('/')[0] ?? ''] ?? {}
  const env = Object.fromEntries(
    Object.entries(secrets).flatMap(([name, value]) => (names[name] ? [[names[name], value]] : [])),
  )
  const done = await line.run(['setup', id, '--no-refresh', ...more], { env })
  if (done.code !== 0) throw new Error(`${id} was not set up: ${done.stderr}`)
}

interface Stop {
  /** Ctrl-C is pressed when this was said. */
  readonly stopAfter?: string
  /** Called with all that was said when the terminal has sent the interrupt, which it then echoes. */
  readonly afterStop?: (said: string) => void
}

/** The command on a terminal of its own; what it says on stderr is on that terminal, too. */
export async function onTerminal(
  line: CommandLine,
  args: readonly string[],
  { stopAfter, afterStop }: Stop = {},
): Promise<Ended> {
  const words = [...COMMAND, ...args]
  // In place of the shell, which Ctrl-C would end as well.
  const command = `stty rows 30 cols 100; exec ${words.map((word) => `'${word}'`).join(' ')}`
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    cwd: line.folder,
    env: { ...line.env, TERM: 'xterm' },
  })
  const end = ended(child)
  let said = ''
  child.stdout?.on('data', (chunk) => {
    const before = said
    said += chunk
    const isNew = (text: string): boolean => said.includes(text) && !before.includes(text)
    if (stopAfter !== undefined && isNew(stopAfter)) child.stdin?.write('\x03')
    if (isNew('^C')) afterStop?.(said)
  })
  return end
}
