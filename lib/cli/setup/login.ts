import type { AccountId } from '../../model/account-id.ts'
import { TokenkeeperError } from '../../model/errors.ts'
import type { SecretName } from '../../model/secrets/secret-name.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { StoredSecrets } from '../../ports/token-vault.ts'
import { ensureSigningKey } from '../../site/signing-keys.ts'
import type { Imports } from '../accounts/credential-imports.ts'
import { callbackUrlOf } from '../backend/callback-url.ts'
import type { Composition } from '../backend/composition.ts'
import type { Terminal } from '../terminal/terminal.ts'

/**
 * Where the broker's app is to send browsers back to, for an account that has no address of its own. `undefined` where
 * nobody logs in, or where the stack's site cannot be asked for its address.
 */
export async function callbackToRegister(
  broker: Broker,
  stored: StoredSecrets,
  imports: Imports,
  composition: Composition,
): Promise<string | undefined> {
  if (!broker.login?.code || stored.has('redirect_uri') || imports.has('redirect_uri')) return undefined
  try {
    return callbackUrlOf(await composition.siteUrl(), broker.id)
  } catch (error) {
    if (error instanceof TokenkeeperError) return undefined
    throw error
  }
}

/** Makes the key that links to the login page are signed with. Without one messages have no link, which is no failure. */
export async function prepareLogins(
  broker: Broker,
  { ports }: Composition,
  terminal: Terminal,
): Promise<void> {
  if (!broker.login) return
  try {
    await ensureSigningKey(ports.vault)
  } catch (error) {
    if (!(error instanceof TokenkeeperError)) throw error
    terminal.note(`Messages will have no link to the login page: ${error.message}. ${error.fix}`)
  }
}

/** Whether only a login brings this account a token: nothing that is stored renews one unattended. */
export async function needsPerson(
  broker: Broker,
  account: AccountId,
  present: ReadonlySet<SecretName>,
  { ports }: Composition,
): Promise<boolean> {
  // A token that was handed in is first of all to be proven.
  if (present.has('access_token')) return false
  if (!broker.login?.code?.needs.every((name) => present.has(name))) return false
  const settings = (await ports.states.get(account))?.settings ?? {}
  const hosts = { ...broker.hosts, ...ports.hosts }
  return !broker.grants.some(
    ({ enabled, needs }) => enabled?.(settings, hosts) !== false && needs.every((name) => present.has(name)),
  )
}
