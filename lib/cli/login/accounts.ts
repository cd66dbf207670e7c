import type { KnownAccount } from '../../accounts/accounts.ts'
import { overviewOf } from '../../accounts/needs.ts'
import type { AccountId } from '../../model/account-id.ts'
import { ConfigurationError } from '../../model/errors.ts'
import type { SecretName } from '../../model/secrets/secret-name.ts'
import { localInstant } from '../../model/time/local-time.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import { ensureSigningKey } from '../../site/signing-keys.ts'
import { type AccountsWish, brokerFor } from '../accounts/account-arguments.ts'
import { chosenAccounts, chosenOrStored } from '../accounts/chosen-accounts.ts'
import { type Imports, importsFromEnvironment } from '../accounts/credential-imports.ts'
import { assertWellFormed } from '../accounts/credential-questions.ts'
import { register } from '../accounts/registration.ts'
import type { Composition } from '../backend/composition.ts'
import type { Terminal } from '../terminal/terminal.ts'

export interface LoginAccount {
  readonly broker: Broker
  readonly account: AccountId
}

/**
 * The accounts to log in: those named, set up or about to be, or with `all` and without a name those that need a person.
 * Throws UsageError as chosenAccounts does, ConfigurationError, StateStoreError.
 */
export async function accountsToLogIn(
  wish: AccountsWish,
  composition: Composition,
  terminal: Terminal,
): Promise<readonly LoginAccount[]> {
  const { accounts, all } = wish
  if (all || accounts.length === 0) {
    const known = await chosenAccounts(wish, composition)
    if (known.length === 0) {
      throw new ConfigurationError('no account is set up', {
        fix: `run tokenkeeper setup ${accounts[0] ?? 'fyers'}`,
      })
    }
    return needingLogin(known, composition)
  }
  const brokerOfAccount = (account: AccountId): Broker => brokerFor(account, composition).broker
  const chosen = await chosenOrStored({ accounts }, composition, {
    canBeSetUp: (account) => importsFor(brokerOfAccount(account), composition).missing.length === 0,
    orElse: (account) => orSet(brokerOfAccount(account)),
  })
  const found = chosen.map((account) => ({ broker: brokerOfAccount(account), account }))
  for (const one of found) await takeFromEnvironment(one, composition, terminal)
  return found
}

/** Every account a login would help now, in the order of the login page. */
function needingLogin(known: readonly KnownAccount[], { ports }: Composition): readonly LoginAccount[] {
  const { needPerson } = overviewOf(known, ports.clock.now())
  return needPerson.filter(({ requiredAction }) => requiredAction === 'login').map(loginAccount)
}

/** Of these accounts those that will need a login, and from when on one helps: before it nobody is asked. */
export async function laterLogins(
  wish: AccountsWish,
  composition: Composition,
): Promise<readonly { readonly account: AccountId; readonly from: string }[]> {
  const known = await chosenAccounts(wish, composition)
  const { later } = overviewOf(known, composition.ports.clock.now())
  return later.map(({ broker, state, from }) => ({
    account: state.account,
    from: localInstant(from, broker.session.timeZone),
  }))
}

function loginAccount({ broker, state }: KnownAccount): LoginAccount {
  return { broker, account: state.account }
}

/** What the environment holds for a login at this broker, under the names of the guides (R3.7), and what it lacks. */
function importsFor(
  broker: Broker,
  { env }: Pick<Composition, 'env'>,
): { readonly imports: Imports; readonly missing: readonly SecretName[] } {
  const needs = broker.login?.code?.needs
  if (!needs) return { imports: new Map(), missing: ['client_id'] }
  const names: readonly SecretName[] = [...needs, 'redirect_uri']
  const all = importsFromEnvironment(broker, env, 'in the environment')
  const imports = new Map([...all].filter(([name]) => names.includes(name)))
  return { imports, missing: needs.filter((name) => !imports.has(name)) }
}

/** `, or set FYERS_CLIENT_ID and FYERS_APP_SECRET`. */
function orSet({ credentials, login }: Broker): string {
  const variables = credentials.flatMap(({ name, env: [first] = [] }) =>
    first !== undefined && login?.code?.needs.includes(name) ? [first] : [],
  )
  return variables.length > 0 ? `, or set ${variables.join(' and ')}` : ''
}

/** An account nobody has set up is set up with what the environment holds for its login. Throws ConfigurationError. */
async function takeFromEnvironment(
  { broker, account }: LoginAccount,
  composition: Composition,
  terminal: Terminal,
): Promise<void> {
  const { ports } = composition
  const login = broker.login?.code
  if (!login || (await ports.states.get(account)) !== undefined) return
  const names: readonly SecretName[] = [...new Set<SecretName>([...login.needs, 'redirect_uri'])]
  if ((await ports.vault.read(account, names)).size > 0) return
  const { imports, missing } = importsFor(broker, composition)
  if (missing.length > 0) return
  assertWellFormed(broker, imports)
  await register(ports.states, account, { settings: {}, forgetUser: false })
  for (const [name, { value, source }] of imports) {
    await ports.vault.write(account, name, value)
    if (!terminal.json) terminal.note(`${name}: taken from ${source} and stored`)
  }
  await ensureSigningKey(ports.vault)
}
