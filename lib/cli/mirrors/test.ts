import { knownAccounts } from '../../accounts/accounts.ts'
import { inspectFile } from '../../mirrors/file-mirror.ts'
import type { MirroredKey } from '../../mirrors/mirrored-key.ts'
import { inspectRedis } from '../../mirrors/redis/inspection.ts'
import type { AccountId } from '../../model/account-id.ts'
import { ConfigurationError, SubscriberError } from '../../model/errors.ts'
import { type Composition, compose } from '../backend/composition.ts'
import { redisOf } from '../backend/mirror-setting.ts'
import type { GlobalOptions } from '../backend/setting.ts'
import { EXIT } from '../terminal/exit-codes.ts'
import type { Terminal } from '../terminal/terminal.ts'

/** One mirror, looked at. */
interface Looked {
  readonly mirror: string
  readonly latencyMs?: number
  readonly holds: readonly MirroredKey[]
  readonly error?: { readonly message: string; readonly fix: string }
}

/**
 * `tokenkeeper mirrors test`: connects to each mirror and tells which accounts it holds a token of. Changes nothing.
 * Throws ConfigurationError where there is no mirror, StateStoreError.
 */
export async function testMirrors(options: GlobalOptions, terminal: Terminal): Promise<number> {
  const composition = await compose(options, terminal)
  try {
    const looks = looksOf(composition)
    if (looks.length === 0) {
      throw new ConfigurationError('no mirror is configured', {
        fix: 'add "mirrors" to the "tokenkeeper" context in cdk.json, as lib/mirrors/README.md describes',
      })
    }
    const accounts = await accountsOf(composition)
    const mirrors = await Promise.all(looks.map((look) => look(accounts)))
    const success = mirrors.every(({ error }) => error === undefined)
    if (terminal.json) terminal.object({ success, mirrors })
    else for (const mirror of mirrors) show(mirror, terminal)
    return success ? EXIT.ok : EXIT.configuration
  } finally {
    await composition.close()
  }
}

type Look = (accounts: readonly AccountId[]) => Promise<Looked>

/** A look at each mirror this backend writes. */
function looksOf(composition: Composition): readonly Look[] {
  const { ports, config, backend } = composition
  const redis = redisOf(composition, ports.vault, ports.clock)
  const files = backend === 'local' ? config.mirrors.files : []
  return [
    ...(redis
      ? [
          looking('Redis', async (accounts) => {
            const { host, latencyMs, keys } = await inspectRedis(redis, accounts)
            return { mirror: `Redis at ${host}`, latencyMs, holds: keys }
          }),
        ]
      : []),
    ...files.map((file) =>
      looking(file.path, async (accounts) => ({ mirror: file.path, holds: inspectFile(file, accounts) })),
    ),
  ]
}

/** A look that tells of its failure rather than throwing it. */
function looking(mirror: string, look: Look): Look {
  return async (accounts) => {
    try {
      return await look(accounts)
    } catch (error) {
      if (!(error instanceof SubscriberError)) throw error
      return { mirror, holds: [], error: { message: error.message, fix: error.fix } }
    }
  }
}

async function accountsOf({ brokers, ports }: Composition): Promise<readonly AccountId[]> {
  const adapters = brokers.map(({ broker }) => broker)
  return (await knownAccounts(adapters, ports.states)).map(({ state }) => state.account)
}

function show({ mirror, latencyMs, holds, error }: Looked, terminal: Terminal): void {
  if (error) {
    terminal.note(`${terminal.style('red', 'Error:')} ${error.message}`)
    terminal.note(`${terminal.style('bold', 'Fix:')} ${error.fix}`)
    return
  }
  // The clock counts whole milliseconds.
  terminal.print(latencyMs === undefined ? mirror : `${mirror} answers within ${latencyMs + 1} ms`)
  for (const { account, key, there, secondsLeft, generation } of holds) {
    const facts = [
      ...(generation === undefined ? [] : [`generation ${generation}`]),
      ...(secondsLeft === undefined ? [] : [`ends in ${hoursAndMinutes(secondsLeft)}`]),
    ]
    terminal.print(`  ${account}: ${key} ${there ? ['is there', ...facts].join(', ') : 'is not there'}`)
  }
}

function hoursAndMinutes(seconds: number): string {
  const minutes = Math.floor(seconds / 60)
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
