import type { AccountId } from '../../model/account-id.ts'
import { nameOf } from '../../model/account-id.ts'
import { newAccountState } from '../../model/account-state.ts'
import type { Secret } from '../../model/secrets/secret.ts'
import type { SecretName } from '../../model/secrets/secret-name.ts'
import { localInstant } from '../../model/time/local-time.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { StoredSecrets } from '../../ports/token-vault.ts'
import { namesOf } from '../../tokens/lease/read-stored.ts'
import { loginHelpsFrom } from '../../tokens/rules/token/login-helps.ts'
import { accountArgument, brokerFor } from '../accounts/account-arguments.ts'
import {
  assertOfUse,
  type Imports,
  importsFromConfig,
  importsFromEnvironment,
  nearMisses,
  readEnvFile,
} from '../accounts/credential-imports.ts'
import { askForMissing, assertComplete, assertWellFormed } from '../accounts/credential-questions.ts'
import { register, type SettingsChange } from '../accounts/registration.ts'
import { type Composition, compose } from '../backend/composition.ts'
import { listedAccounts } from '../backend/listed-accounts.ts'
import type { EnabledBroker, GlobalOptions } from '../backend/setting.ts'
import { RefreshProgress } from '../refresh/progress.ts'
import { refreshSelected, showReport } from '../refresh/refresh.ts'
import { EXIT, exitCodeOfRun } from '../terminal/exit-codes.ts'
import { agree, showFirst } from '../terminal/prompts.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { UsageError } from '../terminal/usage-error.ts'
import { assertKnownOptions, assertTrades, type Choices, settingsIn } from './choices.ts'
import { adoptGiven } from './given-token.ts'
import { callbackToRegister, needsPerson, prepareLogins } from './login.ts'

export interface SetupOptions extends GlobalOptions, Choices {
  readonly fromEnv?: string
  readonly fromConfig?: string
  readonly forgetUser?: boolean
  /** @default - asked on a terminal, no elsewhere */
  readonly refresh?: boolean
}

/**
 * `tokenkeeper setup`: stores an account's credentials in the vault and registers it. Run again it changes what is
 * given and keeps the rest. Throws UsageError, ConfigurationError, Cancelled, and what the stores throw.
 */
export async function setup(text: string, options: SetupOptions, terminal: Terminal): Promise<number> {
  const account = accountArgument(text)
  const settings = settingsIn(options)
  const composition = await compose(options, terminal)
  let logsIn = false
  try {
    const enabled = brokerFor(account, composition)
    const { broker } = enabled
    assertKnownOptions(broker, settings)
    assertTrades(broker, settings.markets)
    const external = options.managedBy === 'external'
    if (broker.warning && !external) await consent(broker.warning, terminal)

    const stored = await composition.ports.vault.read(account, namesOf(broker))
    const imports = external ? new Map() : importsFor(enabled, options, composition, terminal)
    const callbackUrl = external ? undefined : await callbackToRegister(broker, stored, imports, composition)
    if (callbackUrl)
      terminal.print(`Redirect URL to register with the app at ${broker.displayName}: ${callbackUrl}`)
    const values: ReadonlyMap<SecretName, Secret> = external
      ? new Map()
      : await valuesFor(enabled, account, imports, stored, terminal)
    const { isNew } = await register(composition.ports.states, account, {
      settings,
      forgetUser: options.forgetUser === true,
    })
    const given = values.get('access_token')
    for (const [name, value] of values)
      if (name !== 'access_token') await composition.ports.vault.write(account, name, value)
    if (!external) await prepareLogins(broker, composition, terminal)
    const further = external ? [] : await registerFurther(broker, account, options, composition, settings)
    const isLive = given !== undefined && (await adoptGiven(account, given, composition, terminal))

    const names = [...values.keys()].filter((name) => name !== 'access_token' || isLive)
    if (terminal.json) {
      terminal.object({ success: true, account, isNew, stored: names, alsoRegistered: further, callbackUrl })
      return EXIT.ok
    }
    tell({ account, isNew, names, imports, further, external, options }, composition, terminal)
    if (external) return EXIT.ok
    if (isLive && further.length === 0 && options.refresh !== true) return EXIT.ok
    const present = new Set([...stored.keys(), ...names])
    if (options.refresh === true || !(await needsPerson(broker, account, present, composition))) {
      return await firstRefresh(enabled, [account, ...further], composition, options, terminal)
    }
    const { clock, states } = composition.ports
    const from = loginHelpsFrom(broker, (await states.get(account)) ?? newAccountState(account), clock.now())
    logsIn = options.refresh !== false && terminal.interactive && !from && (await agree('Log in now?', true))
    const then = from ? `, from ${localInstant(from, broker.session.timeZone)} on` : ''
    if (!logsIn) terminal.print(`Next: tokenkeeper login ${account}${then}`)
  } finally {
    await composition.close()
  }
  return logsIn ? (await import('../login/login.ts')).login([account], options, terminal) : EXIT.ok
}

/** Who passes the credentials without a terminal has read this elsewhere; it is said all the same. */
async function consent(warning: string, terminal: Terminal): Promise<void> {
  if (!terminal.interactive) {
    terminal.note(`Before you begin: ${warning}`)
    return
  }
  showFirst('Before you begin', warning)
  if (!(await agree('Go on?', false))) throw new UsageError('nothing was set up')
}

/** A file named on the command line counts more than what the shell happens to have set. */
function importsFor(
  { broker }: EnabledBroker,
  { fromEnv, fromConfig }: SetupOptions,
  { env }: Composition,
  terminal: Terminal,
): Imports {
  const file = fromEnv === undefined ? undefined : readEnvFile(fromEnv)
  if (file && fromEnv !== undefined) {
    assertOfUse(broker, file, fromEnv)
    const misses = nearMisses(broker, file)
    if (misses.length > 0) terminal.note(`${fromEnv} has variables that are not used: ${misses.join(', ')}`)
  }
  const imports: Imports = new Map([
    ...importsFromEnvironment(broker, env, 'in the environment'),
    ...(file ? importsFromEnvironment(broker, file, `in ${fromEnv}`) : []),
    ...(fromConfig === undefined ? [] : importsFromConfig(broker, fromConfig)),
  ])
  assertWellFormed(broker, imports)
  return imports
}

async function valuesFor(
  { broker }: EnabledBroker,
  account: AccountId,
  imports: Imports,
  stored: StoredSecrets,
  terminal: Terminal,
): Promise<ReadonlyMap<SecretName, Secret>> {
  const imported = new Map([...imports].map(([name, { value }]) => [name, value]))
  for (const [name, { source }] of imports) terminal.print(`${name}: taken from ${source}`)
  const asked = terminal.interactive
    ? await askForMissing(broker, imports, stored)
    : new Map<SecretName, Secret>()
  const values = new Map([...imported, ...asked])
  assertComplete(broker, new Set(values.keys()), stored, account)
  // What has not changed is not written: a new version would lift a block that still has its reason.
  return new Map([...values].filter(([name, value]) => stored.get(name)?.value.equals(value) !== true))
}

/** What a broker's own variable lists; these accounts have no credentials of their own. */
async function registerFurther(
  broker: Broker,
  account: AccountId,
  { fromEnv }: SetupOptions,
  { env, ports }: Composition,
  settings: SettingsChange,
): Promise<readonly AccountId[]> {
  if (nameOf(account) !== undefined) return []
  const further = listedAccounts(broker, { ...env, ...(fromEnv !== undefined && readEnvFile(fromEnv)) })
  for (const one of further) await register(ports.states, one, { settings, forgetUser: false })
  return further
}

interface Done {
  readonly account: AccountId
  readonly isNew: boolean
  readonly names: readonly SecretName[]
  readonly imports: Imports
  readonly further: readonly AccountId[]
  readonly external: boolean
  readonly options: SetupOptions
}

function tell(done: Done, composition: Composition, terminal: Terminal): void {
  const { account, names, options } = done
  const where =
    composition.backend === 'aws'
      ? `SSM under ${composition.config.prefix}`
      : `the vault in ${composition.home}`
  const stored = names.length > 0 ? `; stored in ${where}: ${names.join(', ')}` : ''
  terminal.print(`${account} is ${done.isNew ? 'set up' : 'up to date'}${stored}`)
  if (done.external) terminal.print('It is managed elsewhere and will never be touched.')
  if (done.further.length > 0) terminal.print(`Also registered: ${done.further.join(', ')}`)
  const files = [options.fromEnv, options.fromConfig].filter((file) => file !== undefined)
  if (done.imports.size > 0 && files.length > 0) {
    terminal.print(
      `${files.join(' and ')} still holds these values in plain text: delete it, or at least those lines.`,
    )
  }
}

/** Shows at once whether the credentials work. Never unasked: a refresh can cost a login attempt. */
async function firstRefresh(
  broker: EnabledBroker,
  accounts: readonly AccountId[],
  composition: Composition,
  { refresh }: SetupOptions,
  terminal: Terminal,
): Promise<number> {
  const wanted =
    refresh ?? (terminal.interactive && (await agree('Get and prove an access token now?', true)))
  if (!wanted) {
    terminal.print(`Next: tokenkeeper refresh ${accounts[0]}`)
    return EXIT.ok
  }
  const progress = new RefreshProgress(terminal)
  const named = accounts.filter((account) => nameOf(account) !== undefined || accounts.length === 1)
  const done = await refreshSelected([{ broker, accounts: named }], { composition, progress, force: false })
  progress.close()
  showReport(done, composition, terminal)
  return exitCodeOfRun(done)
}
