import { setTimeout as pause } from 'node:timers/promises'
import { BROKER_IDS } from '../brokers/index.ts'
import { type LocalServer, startLocalServer } from '../local/local-server.ts'
import { LocalService } from '../local/local-service.ts'
import { knownAccounts } from '../site/accounts.ts'
import { siteApp } from '../site/app.ts'
import { ConfigurationError } from '../tokens/errors.ts'
import { VERSION } from '../version.ts'
import { type Composition, compose, type GlobalOptions } from './composition.ts'
import { EXIT } from './exit-codes.ts'
import { interrupted } from './interrupted.ts'
import { demoScene, realScene, type Scene } from './serve-scene.ts'
import { ServeScreen } from './serve-screen.ts'
import type { Terminal } from './terminal.ts'
import { registerUpstoxAccounts } from './upstox-accounts.ts'

export interface ServeOptions extends GlobalOptions {
  readonly port: number
  /** Simulated minutes in one second. */
  readonly speed: number
  /** The simulated world although accounts are set up. */
  readonly demo?: boolean
}

/** After Ctrl-C accounts in progress get this long to end well. */
const FAREWELL_MS = 4_000

/**
 * `tokenkeeper serve`: keeps the accounts' tokens alive in this process and answers on loopback. Without any
 * account it shows the simulated world. Throws ConfigurationError, StateStoreError.
 */
export async function serve(options: ServeOptions, terminal: Terminal): Promise<number> {
  let screen: ServeScreen | undefined
  const alert = (text: string): void => (screen ? screen.alert(text) : terminal.note(text))
  const composition = await compose(options, terminal, alert)
  try {
    if (composition.backend === 'aws') throw onlyLocal()
    const ended = interrupted()
    const scene = await chooseScene(options, composition, alert, (sentence) => screen?.happened(sentence))
    try {
      screen = new ServeScreen(terminal, scene.ports.clock, zoneOf(scene))
      await run(scene, options, { screen, terminal, composition, ended })
    } finally {
      screen?.close()
      await scene.close()
    }
    terminal.print('Stopped.')
    return EXIT.ok
  } finally {
    await composition.close()
  }
}

async function chooseScene(
  { demo, speed }: ServeOptions,
  composition: Composition,
  alert: (text: string) => void,
  tell: (sentence: string) => void,
): Promise<Scene> {
  await registerUpstoxAccounts(composition.env, composition.ports.states)
  const brokers = composition.brokers.map(({ broker }) => broker)
  const known = await knownAccounts(brokers, composition.ports.states)
  if (known.length > 0 && !demo) return realScene(composition)
  return demoScene(composition, { minutesPerSecond: speed, alert, tell })
}

interface Stage {
  readonly screen: ServeScreen
  readonly terminal: Terminal
  readonly composition: Composition
  /** Resolves when somebody wants it to end. */
  readonly ended: Promise<void>
}

async function run(
  scene: Scene,
  options: ServeOptions,
  { screen, terminal, composition, ended }: Stage,
): Promise<void> {
  const { ports } = scene
  const brokers = scene.brokers.map(({ broker }) => broker)
  const refreshTable = async (): Promise<void> =>
    screen.accounts(await knownAccounts(brokers, ports.states), service)
  const service = new LocalService({
    brokers: scene.brokers,
    ports,
    ...(scene.around && { around: scene.around }),
    onEvent: (event) => {
      screen.event(event, service)
      // A store that cannot be read is told of by the run itself.
      refreshTable().catch(() => undefined)
    },
  })
  const server = await startLocalServer(siteApp({ brokers, ports, timeZone: zoneOf(scene) }), options.port)
  const ticking = setInterval(() => {
    service.tick()
    void scene.tick()
    screen.draw(service)
  }, scene.tickMs)
  try {
    introduce(scene, server, options, composition, terminal)
    await refreshTable()
    screen.happened('first look at every account')
    await Promise.race([service.reconcile(), ended])
    await refreshTable()
    screen.printTable(service)
    await ended
  } finally {
    clearInterval(ticking)
    await Promise.race([service.stop(), pause(FAREWELL_MS, undefined, { ref: false })])
    await server.close()
  }
}

function introduce(
  { simulated }: Scene,
  { url }: LocalServer,
  { speed }: ServeOptions,
  { home }: Composition,
  terminal: Terminal,
): void {
  if (terminal.json) return
  const bold = (text: string): string => terminal.style('bold', text)
  terminal.print(`\n${bold(`Tokenkeeper ${VERSION}`)}\n`)
  if (simulated) {
    const speedText = speed === 1 ? '1 minute' : `${speed} minutes`
    terminal.print(
      `${terminal.style(['bold', 'yellow'], 'SIMULATED')}  No account is set up yet, so this is a rehearsal: simulated brokers on`,
    )
    terminal.print(`this machine, invented people, and a clock that makes ${speedText} of every second.`)
    terminal.print('Nothing leaves this machine, and nothing is kept.\n')
    terminal.print(
      `For a real account:  ${bold(`npx tokenkeeper setup ${BROKER_IDS[0]}`)}  (or ${BROKER_IDS.slice(1).join(', ')})`,
    )
  } else {
    terminal.print(`Accounts and their secrets are in ${home}`)
  }
  terminal.print(`Answers on:          ${url}/health  and  ${url}/token/status\n`)
}

/** Times that belong to no account are told on the clocks of the first market there is, else of the first broker. */
function zoneOf({ brokers }: Scene): string {
  const first = brokers.find(({ broker }) => broker.tradingSession) ?? brokers[0]
  return first?.broker.session.timeZone ?? 'UTC'
}

function onlyLocal(): ConfigurationError {
  return new ConfigurationError(
    'serve runs on the local backend; on AWS the schedules of the stack do its work',
    {
      fix: 'use tokenkeeper serve --backend local, or watch the stack with tokenkeeper status',
    },
  )
}
