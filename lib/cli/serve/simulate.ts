import { join } from 'node:path'
import { ALL_BROKERS, BROKERS, type BrokerId } from '../../brokers/index.ts'
import { hostVariable } from '../../http/host-overrides.ts'
import { brokerOf, parseAccountId } from '../../model/account-id.ts'
import { shellWord } from '../../model/command-words.ts'
import { ConfigurationError } from '../../model/errors.ts'
import type { DemoAccount } from '../../simulators/demo/demo-accounts.ts'
import { type DemoWorld, startDemoWorld } from '../../simulators/demo/demo-world.ts'
import { SIMULATED_CODE } from '../../simulators/kit/login-page.ts'
import { systemClock } from '../../system-clock.ts'
import { defaultPlaces } from '../backend/installation.ts'
import type { GlobalOptions } from '../backend/setting.ts'
import { EXIT } from '../terminal/exit-codes.ts'
import { interrupted } from '../terminal/interrupted.ts'
import type { Terminal } from '../terminal/terminal.ts'

export interface SimulateOptions extends GlobalOptions {
  readonly portBase?: number
}

/** `tokenkeeper simulate`: serves every simulated broker until Ctrl-C and says how to use them. */
export async function simulate(options: SimulateOptions, terminal: Terminal): Promise<number> {
  const world = await started(options.portBase)
  try {
    const variables = variablesOf(world)
    if (terminal.json) terminal.object({ env: Object.fromEntries(variables), accounts: world.accounts })
    else explain(world, variables, terminal)
    await interrupted()
    return EXIT.ok
  } finally {
    await world.close()
  }
}

async function started(portBase: number | undefined): Promise<DemoWorld> {
  try {
    return await startDemoWorld({ clock: systemClock, portBase })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    throw new ConfigurationError(`one of the ports from ${portBase} on is taken`, {
      fix: 'stop the other program, choose another --port-base, or leave it out for free ports',
    })
  }
}

function variablesOf({ hosts }: DemoWorld): readonly (readonly [string, string])[] {
  return Object.entries(hosts).map(([name, origin]) => [hostVariable(name, ALL_BROKERS), origin])
}

/** Lines to paste into a shell, and for each account the lines of a file for `setup --from-env`. */
function explain(
  world: DemoWorld,
  variables: readonly (readonly [string, string])[],
  terminal: Terminal,
): void {
  terminal.print(
    terminal.style('bold', 'Simulated brokers are running until Ctrl-C. Everything in them is invented.'),
  )
  terminal.print('\nIn another terminal, point this software at them:\n')
  terminal.print(`export TOKENKEEPER_HOME=${shellWord(join(defaultPlaces().home, 'simulated'))}`)
  for (const [name, value] of variables) terminal.print(`export ${name}=${value}`)
  terminal.print('\nAccounts they know; save the lines of one as sim.env and run its command:')
  for (const account of world.accounts) {
    const external = account.settings.managedBy === 'external'
    const choices = Object.entries(account.settings.options ?? {}).map(
      ([name, value]) => ` --option ${name}=${value}`,
    )
    const source = external ? ' --managed-by external' : ` --from-env sim.env${choices.join('')}`
    terminal.print(
      `\n# tokenkeeper setup ${account.id}${envLines(account).length > 0 || external ? source : ''}`,
    )
    for (const line of envLines(account)) terminal.print(line)
  }
  terminal.print('\nThen: tokenkeeper refresh')
  terminal.print(
    `For those that need a person: tokenkeeper login (or serve); the code on every login page is ${SIMULATED_CODE}`,
  )
}

function envLines({ id, secrets }: DemoAccount): readonly string[] {
  const broker = BROKERS[brokerOf(parseAccountId(id)) as BrokerId]
  return broker.credentials.flatMap(({ name, ...field }) => {
    const variable = 'env' in field ? field.env[0] : undefined
    const value = secrets[name]
    return variable !== undefined && value !== undefined ? [`${variable}=${value}`] : []
  })
}
