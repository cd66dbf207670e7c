/**
 * One process of the race test: says that it is ready, and when it is told to go refreshes the account in the store it
 * was given, a few times over, and says how that ended.
 */
import { once } from 'node:events'
import { undiciHttp } from '../../lib/http/undici-http.ts'
import { openDatabase } from '../../lib/local/database.ts'
import { sqliteStateStore } from '../../lib/local/sqlite-state-store.ts'
import { sqliteTokenVault } from '../../lib/local/sqlite-token-vault.ts'
import { vaultKey } from '../../lib/local/vault-key.ts'
import { systemClock } from '../../lib/system-clock.ts'
import { runBroker } from '../../lib/tokens/refresh/run.ts'
import { rotabroker } from './rotating-broker.ts'

const [, , folder = '', origin = ''] = process.argv
const quiet = () => undefined
const http = undiciHttp()
const database = openDatabase(`${folder}/store.db`)
const ports = {
  vault: sqliteTokenVault(database, vaultKey(`${folder}/key`), systemClock),
  states: sqliteStateStore(database),
  notifier: { notify: async () => undefined },
  telemetry: { info: quiet, warn: quiet, error: quiet, count: quiet },
  http,
  clock: systemClock,
  hosts: { ROTABROKER_API: origin },
}

const told = once(process, 'message')
process.send?.('ready')
await told
const runs = await Promise.all(
  Array.from({ length: 5 }, (_, call) =>
    runBroker(
      {
        broker: rotabroker,
        owner: `${process.pid}-${call}`,
        hardDeadline: systemClock.now().add({ seconds: 120 }),
      },
      ports,
    ),
  ),
)
process.send?.(runs.flatMap(({ report }) => report.results.map(({ outcome }) => outcome)))
process.disconnect()
await http.close()
database.close()
