import type { AccountId } from '../../model/account-id.ts'
import {
  type AccountSettings,
  type AccountState,
  changed,
  newAccountState,
} from '../../model/account-state.ts'
import { StateStoreError } from '../../model/errors.ts'
import type { StateStore } from '../../ports/state-store.ts'

const MOST_ATTEMPTS = 5

/** What to change; everything else stays, and what is `undefined` is as if it had never been set. */
export type SettingsChange = { readonly [Key in keyof AccountSettings]?: AccountSettings[Key] | undefined }

export interface Registration {
  readonly settings: SettingsChange
  /** Takes the next user that is proven for the account's, in place of the pinned one. */
  readonly forgetUser: boolean
}

/** Registers an account or changes its settings, whatever runs do in the meantime. Throws StateStoreError. */
export async function register(
  states: StateStore,
  account: AccountId,
  { settings, forgetUser }: Registration,
): Promise<{ readonly isNew: boolean }> {
  const written = await edit(states, account, (state) => {
    const before = state ?? newAccountState(account)
    const options = { ...before.settings.options, ...settings.options }
    const wanted = { ...before.settings, ...settings, ...(Object.keys(options).length > 0 && { options }) }
    return changed(before, {
      settings: Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined)),
      ...(forgetUser && { userId: undefined, clientName: undefined }),
    })
  })
  return { isNew: written?.revision === 1 }
}

/**
 * Replaces an account's record by what `next` makes of it, again if a run changes it in between; nothing is written
 * when `next` gives nothing. Throws StateStoreError.
 */
export async function edit(
  states: StateStore,
  account: AccountId,
  next: (state: AccountState | undefined) => AccountState | undefined,
): Promise<AccountState | undefined> {
  let state = await states.get(account)
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const wanted = next(state)
    if (wanted === undefined) return undefined
    const replaced = await states.replace(wanted)
    if (replaced.written) return wanted
    state = replaced.current
  }
  throw new StateStoreError(`${account} kept changing`, { fix: 'try again in a moment' })
}
