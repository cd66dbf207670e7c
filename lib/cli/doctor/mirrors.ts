import { accessSync, constants, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { inspectRedis } from '../../mirrors/redis/inspection.ts'
import { shellWord } from '../../model/command-words.ts'
import { SubscriberError } from '../../model/errors.ts'
import type { Composition } from '../backend/composition.ts'
import { redisOf } from '../backend/mirror-setting.ts'
import { type Finding, fail, pass, warn } from './finding.ts'

const WHAT = 'mirror'

/** Whether each configured mirror can be written to. */
export async function mirrorFindings(composition: Composition): Promise<readonly Finding[]> {
  const { config, backend } = composition
  // Only the local backend writes files.
  const files = backend === 'local' ? config.mirrors.files.map(({ path }) => fileFinding(path)) : []
  return [...(await redisFindings(composition)), ...files]
}

async function redisFindings(composition: Composition): Promise<readonly Finding[]> {
  const { ports, backend } = composition
  const redis = redisOf(composition, ports.vault, ports.clock)
  if (!redis) return []
  try {
    const { host, latencyMs } = await inspectRedis(redis, [])
    return [pass(WHAT, `Redis at ${host} answers within ${latencyMs + 1} ms`)]
  } catch (error) {
    if (!(error instanceof SubscriberError)) throw error
    // The stack's functions may stand elsewhere in the network.
    if (backend === 'aws') return [warn(WHAT, `from this machine: ${error.message}`, error.fix)]
    return [fail(WHAT, error.message, error.fix)]
  }
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}

function fileFinding(path: string): Finding {
  const folder = dirname(path)
  const stat = statSync(folder, { throwIfNoEntry: false })
  if (!stat?.isDirectory()) return fail(WHAT, `there is no folder ${folder}`, `mkdir -p ${shellWord(folder)}`)
  try {
    accessSync(folder, constants.W_OK | constants.X_OK)
  } catch {
    if (isWritable(path)) return pass(WHAT, `${path} can be written where it lies`)
    const fix = 'give the folder to the user Tokenkeeper runs as, or name another one in mirrors.files'
    return fail(WHAT, `${folder} is not writable`, fix)
  }
  const mode = (statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & 0o777
  return mode & 0o077 && process.platform !== 'win32'
    ? warn(
        WHAT,
        `${path} is open to others until the next token (mode ${mode.toString(8)})`,
        `chmod 600 ${shellWord(path)}`,
      )
    : pass(WHAT, `${path} can be written`)
}
