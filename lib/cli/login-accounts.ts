import type { Broker } from '../ports/broker.ts'
import type { SecretName } from '../ports/token-vault.ts'
import { ensureSigningKey } from '../signing-keys.ts'
import { type KnownAccount, knownAccounts } from '../site/accounts.ts'
import { overviewOf } from '../site/needs.ts'
import type { AccountId } from '../tokens/account-id.ts'
import { ConfigurationError } from '../tokens/errors.ts'
import { select } from './account-arguments.ts'
import type { Composition } from './composition.ts'
import { register } from './registration.ts'
import { importsFromEnvironment } from './setup-imports.ts'
import { assertWellFormed } from './setup-questions.ts'
import type { Terminal } from './terminal.ts'

export interface LoginAccount {
  readonly broker: Broker
  readonly account: AccountId
}

/**
 * The accounts to log in: those named, or all that need a person. A broker alone means its default account, or those
 * of its accounts that need somebody where it has no default one. Throws ConfigurationError, StateStoreError.
 */
export async function accountsToLogIn(
  named: readonly AccountId[],
  composition: Composition,
  terminal: Terminal,
): Promise<readonly LoginAccount[]> {
  const { states } = composition.ports
  if (named.length === 0) {
    const known = await knownAccounts(
      composition.brokers.map(({ broker }) => broker),
      states,
    )
    if (known.length === 0) {
      throw new ConfigurationError('no account is set up', { fix: 'run tokenkeeper setup fyers' })
    }
    return needingLogin(known, composition)
  }
  const found: LoginAccount[] = []
  for (const { broker: enabled, accounts } of await select(named, composition)) {
    const { broker } = enabled
    if (accounts) {
      found.push(...accounts.map((account) => ({ broker, account })))
      continue
    }
    const known = await knownAccounts([broker], states)
    const needing = needingLogin(known, composition)
    if (known.length === 0) found.push({ broker, account: broker.id as AccountId })
    else found.push(...(needing.length === 0 && known.length === 1 ? known.map(loginAccount) : needing))
  }
  for (const one of found) await takeFromEnvironment(one, composition, terminal)
  return found
}

/** Every account a login would help now, in the order of the login page. */
function needingLogin(known: readonly KnownAccount[], { ports }: Composition): readonly LoginAccount[] {
  const { needing } = overviewOf(known, ports.clock.now())
  return needing.filter(({ help }) => help === 'login').map(loginAccount)
}

function loginAccount({ broker, state }: KnownAccount): LoginAccount {
  return { broker, account: state.account }
}

/**
 * An account nobody has set up is set up with what the environment holds for its login, under the names of the guides
 * (R3.7). Throws ConfigurationError naming the variables that are missing.
 */
async function takeFromEnvironment(
  { broker, account }: LoginAccount,
  { env, ports }: Composition,
  terminal: Terminal,
): Promise<void> {
  const login = broker.login?.code
  if (!login || (await ports.states.get(account)) !== undefined) return
  const names: readonly SecretName[] = [...new Set<SecretName>([...login.needs, 'redirect_uri'])]
  if ((await ports.vault.read(account, names)).size > 0) return
  const imports = new Map(
    [...importsFromEnvironment(broker, env, 'in the environment')].filter(([name]) => names.includes(name)),
  )
  const missing = login.needs.filter((name) => !imports.has(name))
  if (missing.length > 0) {
    const variables = broker.credentials.flatMap(({ name, env: [first] = [] }) =>
      first !== undefined && login.needs.includes(name) ? [first] : [],
    )
    const or = variables.length > 0 ? `, or set ${variables.join(' and ')}` : ''
    throw new ConfigurationError(`${account} is not set up`, {
      fix: `check the spelling, run tokenkeeper setup ${account}${or}`,
    })
  }
  assertWellFormed(broker, imports)
  await register(ports.states, account, { settings: {}, forgetUser: false })
  for (const [name, { value, source }] of imports) {
    await ports.vault.write(account, name, value)
    if (!terminal.json) terminal.note(`${name}: taken from ${source} and stored`)
  }
  await ensureSigningKey(ports.vault)
}
