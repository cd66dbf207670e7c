/** One process of the race test: refreshes the account in the store it is told, a few times over, and says how that ended. */
import { setTimeout as pause } from 'node:timers/promises'
import { undiciHttp } from '../../lib/http/undici-http.ts'
import { openDatabase } from '../../lib/local/database.ts'
import { sqliteStateStore } from '../../lib/local/sqlite-state-store.ts'
import { sqliteTokenVault } from '../../lib/local/sqlite-token-vault.ts'
import { vaultKey } from '../../lib/local/vault-key.ts'
import { systemClock } from '../../lib/system-clock.ts'
import { runBroker } from '../../lib/tokens/run.ts'
import { rotabroker } from './rotating-broker.ts'

const [, , folder = '', origin = '', startAt = '0'] = process.argv
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

// All processes leave the start together.
await pause(Math.max(0, Number(startAt) - systemClock.now().epochMilliseconds))
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
process.stdout.write(
  JSON.stringify(runs.flatMap(({ report }) => report.results.map(({ outcome }) => outcome))),
)
await http.close()
database.close()
