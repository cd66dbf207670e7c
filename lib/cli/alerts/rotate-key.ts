import { rotateSigningKey } from '../../site/signing-keys.ts'
import { compose } from '../backend/composition.ts'
import type { GlobalOptions } from '../backend/setting.ts'
import { EXIT } from '../terminal/exit-codes.ts'
import type { Terminal } from '../terminal/terminal.ts'

/**
 * `tokenkeeper alerts rotate-key`: signs the links of coming alerts with a new key. Throws TokenVaultError,
 * ConfigurationError.
 */
export async function rotateKey(options: GlobalOptions, terminal: Terminal): Promise<number> {
  const composition = await compose(options, terminal)
  try {
    await rotateSigningKey(composition.ports.vault)
    const posting = composition.brokers.filter(({ broker }) => broker.login?.approval)
    const changed = posting.map(({ broker }) => broker.id)
    if (terminal.json) terminal.object({ success: true, newNotifierUrls: changed })
    else {
      terminal.print(
        'Links sent from now on are signed with a new key; functions take it up within five minutes.',
      )
      terminal.print(
        'Links already sent stay good until the next rotation: somebody has the old key? Run this twice.',
      )
      if (changed.length > 0) {
        terminal.print('The notifier URLs change, too. For each account, register what this prints:')
        for (const broker of changed) terminal.print(`  tokenkeeper login ${broker} --webhook-url`)
      }
    }
    return EXIT.ok
  } finally {
    await composition.close()
  }
}
