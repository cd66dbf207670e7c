/** Another process with the same mirror: it finds its account fresh again and again, and clears up what was left. */
import { fileMirror } from '../../../lib/mirrors/file-mirror.ts'
import { parseAccountId } from '../../../lib/model/account-id.ts'

const mirror = fileMirror({ path: process.argv[2] ?? '', format: 'dotenv' })
process.send?.('ready')
for (;;) {
  await mirror.onWithdrawn(parseAccountId('zerodha'))
  await new Promise((resolve) => setImmediate(resolve))
}
