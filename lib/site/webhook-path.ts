import { type AccountId, brokerOf, parseAccountId } from '../model/account-id.ts'
import { isSignature, type SigningKeys, signature } from './signing-keys.ts'

/**
 * The path to which a broker posts an account's approvals. It cannot be guessed and does not change. It is
 * registered with the broker by hand, so it stays valid for one rotation of the signing key: register the new
 * path before the next one. `undefined` where there is no key yet. Throws TokenVaultError and
 * ConfigurationError.
 */
export async function webhookPath(keys: SigningKeys, account: AccountId): Promise<string | undefined> {
  const key = await keys.current()
  if (!key) return undefined
  const named = Buffer.from(account).toString('base64url')
  return `/webhook/${brokerOf(account)}/${named}.${signature(key, 'webhook', account)}`
}

/**
 * The account to which the last part of a webhook's path belongs, by any stored key; `undefined` for a guess.
 * Throws TokenVaultError and ConfigurationError.
 */
export async function accountOfWebhookPath(
  keys: SigningKeys,
  broker: string,
  lastPart: string,
): Promise<AccountId | undefined> {
  const [named = '', sig = ''] = lastPart.split('.')
  const account = accountNamed(named)
  if (account === undefined || brokerOf(account) !== broker) return undefined
  const all = await keys.all()
  return all.some((key) => isSignature(key, 'webhook', account, sig)) ? account : undefined
}

function accountNamed(encoded: string): AccountId | undefined {
  try {
    return parseAccountId(Buffer.from(encoded, 'base64url').toString())
  } catch {
    return undefined
  }
}
