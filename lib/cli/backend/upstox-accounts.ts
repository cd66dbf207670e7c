import { type AccountId, parseAccountId } from '../../model/account-id.ts'
import { changed, newAccountState } from '../../model/account-state.ts'
import { ConfigurationError } from '../../model/errors.ts'
import type { StateStore } from '../../ports/state-store.ts'

const VARIABLE = 'UPSTOX_ACCOUNT_IDS'

/**
 * The accounts of an upstream token service as its guide lists them: `UPSTOX_ACCOUNT_IDS=ACC1,ACC2`. Blanks and
 * empty entries do not matter (lib/brokers/upstox/README.md, Token service). Throws ConfigurationError for one named
 * twice.
 */
export function upstoxAccounts(env: Readonly<Record<string, string | undefined>>): readonly AccountId[] {
  const names = (env[VARIABLE] ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) {
    throw new ConfigurationError(`${VARIABLE} names ${twice} twice`, {
      fix: `remove one of them from ${VARIABLE}`,
    })
  }
  return names.map((name) => parseAccountId(`upstox/${name}`))
}

/** Registers those accounts that are not yet known. Throws ConfigurationError, StateStoreError. */
export async function registerUpstoxAccounts(
  env: Readonly<Record<string, string | undefined>>,
  states: StateStore,
): Promise<void> {
  for (const account of upstoxAccounts(env)) {
    if ((await states.get(account)) === undefined) await states.replace(changed(newAccountState(account), {}))
  }
}
