import { setTimeout as pause } from 'node:timers/promises'
import { knownAccounts } from '../../accounts/accounts.ts'
import { type OpenedServer, openLocalServer } from '../../local/local-server.ts'
import { LocalService } from '../../local/local-service.ts'
import { type SoleService, soleService } from '../../local/sole-service.ts'
import { brokerOf } from '../../model/account-id.ts'
import { ConfigurationError } from '../../model/errors.ts'
import { type Composition, compose } from '../backend/composition.ts'
import { registerListedAccounts } from '../backend/listed-accounts.ts'
import { localSiteUrl, SERVE_PORT } from '../backend/local-backend.ts'
import { ownCommand } from '../backend/own-command.ts'
import { EXIT } from '../terminal/exit-codes.ts'
import { interrupted } from '../terminal/interrupted.ts'
import type { Terminal } from '../terminal/terminal.ts'
import type { EndedLogin } from './ended-logins.ts'
import { introduce } from './introduction.ts'
import type { ServeOptions } from './options.ts'
import { ServeScreen } from './screen.ts'
import { INSTANCE_HEADER, instanceOf } from './served-site.ts'
import { demoWorld, publicUrl, realWorld, type ServedWorld } from './served-world.ts'
import { serveSite } from './site.ts'

/** After Ctrl-C accounts in progress get this long to end well. */
const FAREWELL_MS = 4_000
/** What other processes did, such as a login at the command line, is seen this soon. */
const LOOK_EVERY_MS = 2_000

/**
 * `tokenkeeper serve`: keeps the accounts' tokens alive in this process and answers on loopback, the login page
 * included. Without any account it shows the simulated world. Throws ConfigurationError, StateStoreError.
 */
export async function serve(options: ServeOptions, terminal: Terminal): Promise<number> {
  let screen: ServeScreen | undefined
  let service: LocalService | undefined
  const alert = (text: string): void => (screen ? screen.alert(text) : terminal.alert(text))
  const tell = (sentence: string): void => screen?.happened(sentence)
  const loginEnded = (login: EndedLogin): void => {
    screen?.loginEnded(login)
    void service?.lookAgain(brokerOf(login.state.account))
  }
  const composition = await compose(options, terminal, alert)
  try {
    if (composition.backend === 'aws') throw onlyLocal()
    const ended = interrupted()
    const simulated = options.demo === true || !(await hasAccounts(composition))
    if (simulated && options.demo === false) throw nothingToServe(composition)
    const sole = simulated ? undefined : soleKeeper(composition)
    const server = await opened(options, composition, simulated).catch((error: unknown) => {
      sole?.release()
      throw error
    })
    try {
      sole?.servesAt(server.url)
      const served = simulated
        ? await demoWorld(composition, {
            siteUrl: server.url,
            minutesPerSecond: options.speed,
            alert,
            tell,
            loginEnded,
          })
        : await realWorld(composition, server.url, loginEnded)
      // No command reaches the simulated accounts, which are in this process alone.
      const words = simulated ? { instead: `open ${server.url}/login` } : ownCommand(options)
      try {
        screen = new ServeScreen(terminal.reading(words), {
          ...served,
          clock: served.ports.clock,
          timeZone: zoneOf(served),
        })
        service = serviceOf(served, screen)
        server.answerWith(
          serveSite(served, { timeZone: zoneOf(served), apiKeys: composition.apiKeys, words }),
        )
        introduce(served, server, options, composition, terminal)
        await run(served, { screen, service, ended })
      } finally {
        screen?.close()
        await served.close()
      }
    } finally {
      await server.close()
      sole?.release()
    }
    terminal.print('Stopped.')
    return EXIT.ok
  } finally {
    await composition.close()
  }
}

async function hasAccounts({ brokers, env, ports }: Composition): Promise<boolean> {
  await registerListedAccounts(env, ports.states)
  const adapters = brokers.map(({ broker }) => broker)
  return (await knownAccounts(adapters, ports.states)).length > 0
}

/** A keeper that cannot write anything down keeps nothing. Throws ConfigurationError. */
function soleKeeper({ home, unwritable }: Composition): SoleService {
  if (unwritable) {
    throw new ConfigurationError(`the accounts in ${home} cannot be kept: ${unwritable.says}`, {
      fix: `${unwritable.fix}, then start serve again`,
    })
  }
  return soleService(home)
}

/** Opened first: links and callbacks have to name the port. */
function opened(
  { port }: ServeOptions,
  { config, home }: Composition,
  simulated: boolean,
): Promise<OpenedServer> {
  if (simulated) return openLocalServer(port ?? SERVE_PORT)
  const outside = publicUrl(config)
  const usual = outside ? SERVE_PORT : Number(new URL(localSiteUrl(config)).port)
  return openLocalServer(port ?? usual, {
    publicHost: outside?.host,
    headers: { [INSTANCE_HEADER]: instanceOf(home) },
  })
}

function serviceOf(served: ServedWorld, screen: ServeScreen): LocalService {
  const service: LocalService = new LocalService({
    brokers: served.brokers,
    ports: served.ports,
    ...(served.around && { around: served.around }),
    onEvent: (event) => {
      screen.event(event, service)
      void look(served, screen, service)
    },
  })
  return service
}

/** Shows how the accounts stand. A store that cannot be read is told of by the run itself. */
async function look(
  { brokers, ports }: ServedWorld,
  screen: ServeScreen,
  service: LocalService,
): Promise<void> {
  try {
    const adapters = brokers.map(({ broker }) => broker)
    screen.accounts(await knownAccounts(adapters, ports.states), service)
  } catch {
    // The next look may succeed.
  }
}

interface Stage {
  readonly screen: ServeScreen
  readonly service: LocalService
  /** Resolves when somebody wants it to end. */
  readonly ended: Promise<void>
}

async function run(served: ServedWorld, { screen, service, ended }: Stage): Promise<void> {
  const ticking = setInterval(() => {
    service.tick()
    served.tick().catch(() => undefined)
    screen.draw(service)
  }, served.tickMs)
  const looking = setInterval(() => void look(served, screen, service), LOOK_EVERY_MS)
  const resized = (): void => screen.resized(service)
  process.stdout.on('resize', resized)
  try {
    await look(served, screen, service)
    screen.happened('first look at every account')
    await Promise.race([service.reconcile(), ended])
    served.begun()
    await look(served, screen, service)
    screen.printTable(service)
    screen.invite()
    await ended
  } finally {
    process.stdout.off('resize', resized)
    clearInterval(ticking)
    clearInterval(looking)
    await Promise.race([service.stop(), pause(FAREWELL_MS, undefined, { ref: false })])
  }
}

/** Times that belong to no account are told on the clocks of the first market there is, else of the first broker. */
function zoneOf({ brokers }: ServedWorld): string {
  const first = brokers.find(({ broker }) => broker.tradingSession) ?? brokers[0]
  return first?.broker.session.timeZone ?? 'UTC'
}

/** Of a service whose folder was not mounted, invented tokens would look well to whatever asks /health. */
function nothingToServe({ home }: Composition): ConfigurationError {
  return new ConfigurationError(`no account is set up in ${home}`, {
    fix: 'set one up (tokenkeeper setup fyers), or mount the folder they are in',
  })
}

function onlyLocal(): ConfigurationError {
  return new ConfigurationError(
    'serve runs on the local backend; on AWS the schedules of the stack do its work',
    {
      fix: 'run tokenkeeper serve --backend local, or watch the stack: tokenkeeper status --watch',
    },
  )
}
