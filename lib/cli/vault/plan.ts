import { DEFAULT_KEY, keyName, type StoredParameter } from '../../aws/stored-parameters.ts'
import { type AccountId, isAccountId } from '../../model/account-id.ts'
import { SECRET_NAMES, type SecretName } from '../../model/secrets/secret-name.ts'
import type { PresentKey } from './present-key.ts'

/** What would have to be stored again, and what would be left alone. */
export interface Plan {
  /** The secrets that lie under another key, by what they belong to: accounts, and what is ours (`site`, `mirrors`). */
  readonly moves: ReadonlyMap<AccountId, readonly SecretName[]>
  /** How many of those each other key has, by how it is called in SSM. */
  readonly from: ReadonlyMap<string, number>
  /** Secrets that lie under the present key. */
  readonly there: number
  /** Parameters that an older set-up has stored as plain text, which SSM cannot change. */
  readonly plain: readonly PlainParameter[]
}

interface PlainParameter {
  readonly path: string
  readonly account: AccountId
  readonly name: SecretName
}

/** Sorts the parameters below a prefix; what has no name of ours is nobody's business here. */
export function planOf(parameters: readonly StoredParameter[], prefix: string, key: PresentKey): Plan {
  const moves = new Map<AccountId, SecretName[]>()
  const from = new Map<string, number>()
  const plain: PlainParameter[] = []
  let there = 0
  for (const { path, isSecure, keyId = DEFAULT_KEY } of parameters) {
    const secret = secretAt(path, prefix)
    if (!secret) continue
    if (!isSecure) plain.push({ path, ...secret })
    else if (key.is(keyId)) there += 1
    else {
      moves.set(secret.account, [...(moves.get(secret.account) ?? []), secret.name])
      from.set(keyName(keyId), (from.get(keyName(keyId)) ?? 0) + 1)
    }
  }
  return { moves, from, there, plain }
}

/** How many secrets a plan moves. */
export function sizeOf({ moves }: Plan): number {
  return [...moves.values()].reduce((sum, names) => sum + names.length, 0)
}

function secretAt(path: string, prefix: string): { account: AccountId; name: SecretName } | undefined {
  const below = path.slice(prefix.length + 1)
  const slash = below.lastIndexOf('/')
  const account = below.slice(0, slash)
  const name = SECRET_NAMES.find((one) => one === below.slice(slash + 1))
  return slash > 0 && name && isAccountId(account) ? { account, name } : undefined
}
