import type { SecretName } from '../../../model/secret-name.ts'
import type { StoredSecrets } from '../../../ports/token-vault.ts'

/** Changes whenever the secret is stored again, and says nothing about its value. */
export function secretStamp(stored: StoredSecrets, name: SecretName): string {
  const secret = stored.get(name)
  return secret ? `${secret.version}@${secret.modifiedAt}` : 'absent'
}
