import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openDatabase } from '../../lib/local/database.ts'
import { filesOf } from '../../lib/local/files.ts'
import type { LocalDatabase } from '../../lib/local/local-database.ts'
import { COMMAND, CommandLine, type Ended } from './command.ts'
import { setUp } from './set-up.ts'

const HAS_NAMESPACES = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'tmpfs', tmpdir()]).status === 0
if (!HAS_NAMESPACES) {
  console.warn('SKIPPED: full and read-only disks, since this machine lets nobody mount one (unshare -rm)')
}

/** A disk of one megabyte in the place of a home, for the processes that are started on it alone. */
class Disk {
  readonly #line: CommandLine
  readonly #shell: ChildProcess
  #runs = 0

  constructor(line: CommandLine) {
    this.#line = line
    this.#shell = spawn('unshare', ['-rm', 'bash'], { stdio: ['pipe', 'pipe', 'inherit'], cwd: line.folder })
  }

  /** With what was in the home before. */
  async mount(copy = 'before'): Promise<void> {
    await this.sh(
      `cp -a ${this.#line.home} ${copy} && mount -t tmpfs -o size=1m,mode=700 tmpfs ${this.#line.home} && cp -a ${copy}/. ${this.#line.home}`,
    )
  }

  async sh(command: string, env: NodeJS.ProcessEnv = {}): Promise<Ended> {
    this.#runs += 1
    const [script = '', out = '', err = ''] = ['sh', 'out', 'err'].map((what) =>
      join(this.#line.folder, `${this.#runs}.${what}`),
    )
    const variables = Object.entries(env).map(([name, value]) => `export ${name}='${value}'\n`)
    writeFileSync(script, `${variables.join('')}${command}\n`)
    this.#shell.stdin?.write(`bash ${script} >${out} 2>${err} </dev/null; echo $?\n`)
    const [code] = await once(this.#shell.stdout as NodeJS.ReadableStream, 'data')
    return { code: Number(code), stdout: readFileSync(out, 'utf8'), stderr: readFileSync(err, 'utf8') }
  }

  run(args: string): Promise<Ended> {
    const { PATH: _, ...env } = this.#line.env
    return this.sh(`${COMMAND.join(' ')} ${args}`, env)
  }

  async close(): Promise<void> {
    this.#shell.stdin?.end()
    if (this.#shell.exitCode === null) await once(this.#shell, 'exit')
  }
}

let line: CommandLine
let disk: Disk
let token: string

beforeEach(async () => {
  line = await CommandLine.start()
  await setUp(line, 'fyers')
  await line.run(['refresh'])
  token = (await line.run(['token', 'fyers'])).stdout.trim()
  disk = new Disk(line)
  await disk.mount()
})
afterEach(async () => {
  await disk.close()
  await line.close()
})

describe.runIf(HAS_NAMESPACES).each([
  {
    what: 'a full disk',
    spoil: () => `cat /dev/zero > ${line.home}/fill; true`,
    mend: () => `rm ${line.home}/fill`,
    says: () => `the disk of ${line.home} is full`,
  },
  {
    what: 'a read-only disk',
    spoil: () => `mount -o remount,ro ${line.home}`,
    mend: () => `mount -o remount,rw ${line.home}`,
    says: () => `the file system of ${line.home} is read-only`,
  },
])('$what', ({ spoil, mend, says }) => {
  const warning = () => `Warning: nothing can be recorded, since ${says()}`

  beforeEach(async () => {
    await disk.sh(spoil())
    // Past the least pause between two logins.
    line.clock.advance(61)
  })

  test('status, check, token and exec answer from what is stored, and say why nothing can be recorded', async () => {
    const status = await disk.run('status --json')
    expect(status).toMatchObject({ code: 0, stderr: expect.stringContaining(warning()) })
    expect(JSON.parse(status.stdout)).toMatchObject({ accounts: [{ account: 'fyers', live: true }] })
    const stderr = expect.stringMatching(/^Warning: .*\nFix: .*\n$/)
    expect(await disk.run('check')).toMatchObject({ code: 0, stderr })
    expect(await disk.run('token fyers')).toEqual({ code: 0, stdout: `${token}\n`, stderr })
    const exec = await disk.run(`exec fyers --until close -- sh -c 'echo $FYERS_ACCESS_TOKEN'`)
    expect(exec).toEqual({ code: 0, stdout: `${token}\n`, stderr })
    expect(await disk.run('check --live')).toMatchObject({ code: 3, stdout: expect.stringContaining(says()) })
    expect(await disk.run('doctor')).toMatchObject({
      code: 5,
      stdout: expect.stringContaining(`FAIL  home: nothing can be recorded: ${says()}`),
    })
  })

  test('no grant is sent, nothing is served, and all goes on once it is mended', async () => {
    expect(await disk.run('refresh --force --json')).toMatchObject({
      code: 3,
      stdout: expect.stringContaining(says()),
    })
    expect(await disk.run('pause fyers')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining(`Error: the local state store could not be used: ${says()}`),
    })
    expect(await disk.run('serve --port 0')).toMatchObject({
      code: 5,
      stderr: expect.stringContaining(`the accounts in ${line.home} cannot be kept: ${says()}`),
    })
    expect(grants()).toBe(1)
    await disk.sh(mend())
    expect(await disk.run('refresh --force')).toMatchObject({ code: 0, stderr: '' })
    expect(grants()).toBe(2)
  })

  test('a token that is due and lives is given to exec, and one that does not last is told with the cause', async () => {
    // Half past five in the morning of the token's last hour.
    line.clock.advance(21 * 60 + 29)
    expect(await disk.run(`exec fyers -- sh -c 'echo $FYERS_ACCESS_TOKEN'`)).toMatchObject({
      code: 0,
      stdout: `${token}\n`,
    })
    const lasting = await disk.run('exec fyers --min-valid-for 2h -- echo started')
    expect(lasting.stdout).toBe('')
    expect(lasting.code).toBe(3)
    expect(lasting.stderr).toContain(says())
    expect(grants()).toBe(1)
  })
})

describe.runIf(HAS_NAMESPACES)('a read-only disk with writes that were never merged into the store', () => {
  let database: LocalDatabase
  beforeEach(async () => {
    // The first one was mounted before there were any.
    await disk.close()
    database = openDatabase(filesOf(line.home).database)
    await line.run(['pause', 'fyers'])
    disk = new Disk(line)
    await disk.mount('writes')
  })
  afterEach(() => database.close())

  test('shows them', async () => {
    await disk.sh(`mount -o remount,ro ${line.home}`)
    const { accounts } = JSON.parse((await disk.run('status --json')).stdout)
    expect(accounts).toMatchObject([{ account: 'fyers', state: 'paused' }])
  })

  test('shows nothing rather than what is out of date', async () => {
    await disk.sh(`rm ${line.home}/store.db-shm; mount -o remount,ro ${line.home}`)
    expect(await disk.run('status --json')).toMatchObject({
      code: 5,
      stdout: expect.stringContaining(`the file system of ${line.home} is read-only`),
    })
  })
})

function grants(): number {
  const fyers = line.world.servers.find(({ name }) => name === 'fyers')?.server
  return fyers?.count('/api/v3/validate-refresh-token') ?? 0
}
