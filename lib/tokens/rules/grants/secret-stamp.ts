import type { SecretName } from '../../../model/secrets/secret-name.ts'
import type { StoredSecrets } from '../../../ports/token-vault.ts'

/**
 * The stamp of a stored secret, `absent` where there is none: it changes whenever the secret is stored again,
 * and says nothing about its value.
 */
export function secretStamp(stored: StoredSecrets, name: SecretName): string {
  const secret = stored.get(name)
  return secret ? `${secret.version}@${secret.modifiedAt}` : 'absent'
}
