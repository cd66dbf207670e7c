import type { AccountState, StateChanges } from '../../../model/account-state.ts'
import type { SecretName } from '../../../model/secrets/secret-name.ts'
import type { StoredSecret } from '../../../ports/token-vault.ts'
import { secretStamp } from './secret-stamp.ts'

/**
 * What has to be put on record when a secret was stored again as it was. Otherwise it would pass for one that somebody has
 * changed: a refused PIN would be sent once more, and a token of ours would be a stranger's. Pure.
 */
export function afterStoredAgain(
  state: AccountState,
  name: SecretName,
  before: StoredSecret,
  after: StoredSecret,
): StateChanges {
  const old = secretStamp(new Map([[name, before]]), name)
  const now = secretStamp(new Map([[name, after]]), name)
  const moved = <T extends { readonly stamps: Readonly<Record<string, string>> }>(one: T): T =>
    one.stamps[name] === old ? { ...one, stamps: { ...one.stamps, [name]: now } } : one
  const { blocks, ambiguous, accessToken, refreshToken, refusedVersion } = state
  const tries = state.unconfirmed?.[name]
  const isToken = name === 'access_token'
  return {
    blocks: Object.fromEntries(Object.entries(blocks).map(([kind, block]) => [kind, moved(block)])),
    ...(ambiguous && { ambiguous: moved(ambiguous) }),
    ...(tries?.stamp === old && { unconfirmed: { ...state.unconfirmed, [name]: { ...tries, stamp: now } } }),
    ...(isToken &&
      accessToken?.version === before.version && { accessToken: { ...accessToken, version: after.version } }),
    ...(isToken && refusedVersion === before.version && { refusedVersion: after.version }),
    ...(name === 'refresh_token' &&
      refreshToken?.version === before.version && {
        refreshToken: { ...refreshToken, version: after.version },
      }),
  }
}
