import { TokenVaultError } from '../errors.ts'
import type { Secret } from './secret.ts'
import type { SecretName } from './secret-name.ts'

/** SSM's limits apply to every vault, so that what works on a laptop works on AWS too. */
export const MOST_NAMES_PER_READ = 10
/** The size of an Advanced parameter in SSM. */
const LONGEST_VALUE_BYTES = 8192

/** Throws TokenVaultError for more names than one batched read can have. */
export function assertOneBatch(names: readonly SecretName[]): void {
  if (names.length <= MOST_NAMES_PER_READ) return
  throw new TokenVaultError(`${names.length} secrets were asked for in one read`, {
    during: 'read',
    fix: `read at most ${MOST_NAMES_PER_READ} names at once`,
  })
}

/** Throws TokenVaultError for a value that is empty or too long to be stored. */
export function assertStorable(name: SecretName, value: Secret): void {
  const bytes = Buffer.byteLength(value.reveal())
  if (bytes >= 1 && bytes <= LONGEST_VALUE_BYTES) return
  throw new TokenVaultError(
    `the value of ${name} has ${bytes} bytes; a vault holds 1 to ${LONGEST_VALUE_BYTES}`,
    {
      during: 'write',
      fix:
        bytes === 0
          ? `give ${name} a value, or remove it`
          : `check what was given as ${name}; if the broker really issues such a value, report it: it was not stored`,
    },
  )
}
