/** A process that sees a mirror's file where its mounts have it, and does with it what it is told. */
import { fileMirror, inspectFile } from '../../../lib/mirrors/file-mirror.ts'
import { parseAccountId } from '../../../lib/model/account-id.ts'
import { publication } from './publication.ts'

const [, , path = '', format, ...works] = process.argv
const account = parseAccountId('fyers')
const settings = {
  path,
  format: format === 'token' ? ('token' as const) : ('dotenv' as const),
  accounts: [account],
}
const mirror = fileMirror(settings)
for (const work of works) {
  if (work === 'published') await mirror.onPublished(publication('fyers'))
  if (work === 'kept') await mirror.onStillCurrent?.(publication('fyers'))
  if (work === 'withdrawn') await mirror.onWithdrawn(account)
  if (work === 'inspect') {
    process.stdout.write(inspectFile(settings, [account])[0]?.there ? 'there\n' : 'not there\n')
  }
}
