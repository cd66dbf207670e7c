import type { AccountId } from '../../model/account-id.ts'
import type { Secret } from '../../model/secrets/secret.ts'
import { tokenService } from '../../tokens/service/token-service.ts'
import type { Composition } from '../backend/composition.ts'
import type { Terminal } from '../terminal/terminal.ts'

/**
 * An access token among the values of a file or the environment: proven first, for it may be an old one, and what is
 * published must not be replaced by that (I2). Tells whether it was published; the set-up goes on without it.
 */
export async function adoptGiven(
  account: AccountId,
  accessToken: Secret,
  { ports, brokers }: Composition,
  terminal: Terminal,
): Promise<boolean> {
  const tokens = tokenService({ brokers: brokers.map(({ broker }) => broker), ports })
  const end = await tokens.adopt({ account, accessToken, replaceNewer: false })
  if (!('refused' in end)) {
    terminal.print('access_token: proven live and published')
    return true
  }
  const { reason, fix } = end
  terminal.note(`access_token: not stored, for it could not be proven: ${reason}${fix && `; ${fix}`}`)
  return false
}
