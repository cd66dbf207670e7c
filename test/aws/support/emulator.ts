import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { devNull, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
// biome-ignore lint/plugin: between two looks whether it answers
import { setTimeout as pause } from 'node:timers/promises'
import { freePort } from '../../support/free-port.ts'

const READY_WITHIN_MS = 20_000
const POLL_EVERY_MS = 50
const LOG_LINES_SHOWN = 20

/**
 * Runs a program in a process group of its own that does not outlive us, however we end: when our end of its
 * standard input closes, the group is asked to stop, then stopped, and its folder removed. A Lambda worker that is busy, for example, would
 * survive the emulator it belongs to. When the program ends by itself, so does the group.
 */
const GUARD =
  '{ "$@"; kill -KILL 0; } & trap "" TERM; cat >/dev/null; kill -TERM 0; sleep 0.3; rm -rf "$TMPDIR"; kill -KILL 0'

/** A running AWS emulator. */
export interface Emulator {
  /** For example `http://127.0.0.1:41234`. */
  readonly endpoint: string
  /** The process group of the emulator and all its children. */
  readonly processGroup: number
  /** Its home, temporary files and log. */
  readonly folder: string
  /** Everything the emulator has printed so far. */
  log(): string
  /** Stops it with all its children and removes its files. */
  stop(): Promise<void>
}

export interface EmulatorProgram {
  readonly program: string
  readonly args: (port: number) => readonly string[]
  readonly env: (port: number) => Readonly<Record<string, string>>
  /** Answers with a 2xx status once the emulator can be used. */
  readonly readyPath: string
}

/** Starts an emulator on a free loopback port, with no variable of ours but those given, and waits for it. */
export async function startEmulator({ program, args, env, readyPath }: EmulatorProgram): Promise<Emulator> {
  const port = await freePort()
  const endpoint = `http://127.0.0.1:${port}`
  const folder = mkdtempSync(join(tmpdir(), 'tokenkeeper-emulator-'))
  const logPath = join(folder, 'emulator.log')
  const logFile = await open(logPath, 'w')
  const child = spawn('/bin/sh', ['-c', GUARD, 'sh', program, ...args(port)], {
    detached: true,
    stdio: ['pipe', logFile.fd, logFile.fd],
    cwd: folder,
    env: {
      // This Node first: an emulator runs the functions' code with whatever `node` it finds.
      PATH: [dirname(process.execPath), '/usr/bin', '/bin'].join(':'),
      HOME: folder,
      TMPDIR: folder,
      ...env(port),
    },
  })
  await logFile.close()
  const log = () => readFileSync(logPath, 'utf8')
  const stop = async () => {
    await stopped(child)
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    await ready(`${endpoint}${readyPath}`, child)
  } catch (cause) {
    const said = log().split('\n').slice(-LOG_LINES_SHOWN).join('\n')
    await stop()
    throw new Error(`${program} did not start on port ${port}; its last words:\n${said}`, { cause })
  }
  return { endpoint, processGroup: child.pid ?? 0, folder, log, stop }
}

/** Dummy credentials and the emulator's address: what the SDK, the CLI and the CDK must see in a test. */
export function emulatorEnvironment(endpoint: string): Readonly<Record<string, string>> {
  assertLoopback(endpoint)
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_REGION: 'us-east-1',
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
  }
}

/** Points this process at the emulator and at nothing else of AWS; returns what undoes it. */
export function useEnvironment(endpoint: string): () => void {
  const before = awsVariables()
  const replace = (values: Readonly<Record<string, string | undefined>>) => {
    for (const name of Object.keys(awsVariables())) delete process.env[name]
    Object.assign(process.env, values)
  }
  replace(emulatorEnvironment(endpoint))
  return () => replace(before)
}

/** An emulator test never talks to a real account. Throws unless the host is this machine. */
export function assertLoopback(endpoint: string): void {
  const { hostname } = new URL(endpoint)
  if (hostname === '127.0.0.1' || hostname === '[::1]' || hostname === 'localhost') return
  throw new Error(`emulator tests refuse to run against ${hostname}: the endpoint must be on this machine`)
}

/** All of them: a profile or an AWS_ENDPOINT_URL_SSM left over from a shell would lead elsewhere. */
function awsVariables(): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('AWS_')))
}

async function ready(url: string, child: ChildProcess): Promise<void> {
  const polls = READY_WITHIN_MS / POLL_EVERY_MS
  for (let poll = 0; poll < polls; poll++) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('it ended by itself')
    const reply = await fetch(url).catch(() => undefined)
    if (reply?.ok) return
    await pause(POLL_EVERY_MS)
  }
  throw new Error(`no answer from ${url} within ${READY_WITHIN_MS / 1000} s`)
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.stdin?.end()
  await ended
}
