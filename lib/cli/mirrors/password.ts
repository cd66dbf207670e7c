import { text as readAll } from 'node:stream/consumers'
import { storeRedisPassword } from '../../mirrors/redis/mirror.ts'
import { Secret } from '../../model/secrets/secret.ts'
import { compose } from '../backend/composition.ts'
import type { GlobalOptions } from '../backend/setting.ts'
import { EXIT } from '../terminal/exit-codes.ts'
import { askHidden } from '../terminal/prompts.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { UsageError } from '../terminal/usage-error.ts'

export interface MirrorPasswordOptions extends GlobalOptions {
  /** Take the stored one away. */
  readonly remove?: boolean
}

/**
 * `tokenkeeper mirrors password`: stores the password of the Redis mirror, from a hidden prompt or from stdin. Throws
 * UsageError, Cancelled, TokenVaultError.
 */
export async function mirrorPassword(options: MirrorPasswordOptions, terminal: Terminal): Promise<number> {
  const composition = await compose(options, terminal)
  try {
    await storeRedisPassword(composition.ports.vault, options.remove ? undefined : await readPassword())
    const did = options.remove ? 'removed' : 'stored'
    if (terminal.json) terminal.object({ success: true, [did]: true })
    else terminal.print(`the password of the Redis mirror was ${did}; what runs notices within five minutes`)
    return EXIT.ok
  } finally {
    await composition.close()
  }
}

/** White space at the ends is no part of it; a file or an echo adds a line's end. */
async function readPassword(): Promise<Secret> {
  const given = process.stdin.isTTY
    ? await askHidden('password of the Redis mirror (not shown while you type or paste)')
    : await readAll(process.stdin)
  if (given.trim() !== '') return new Secret(given.trim())
  throw new UsageError(
    'no password was given',
    'pipe it in, or type it where nobody sees it: tokenkeeper mirrors password',
  )
}
