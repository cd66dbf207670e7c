import { execFile } from 'node:child_process'
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'

/** What npm tells the scripts it runs, of the clone: it must not come through to a program elsewhere. */
const OF_THE_CLONE =
  /^(npm_(package|lifecycle|config_local_prefix|config_prefix)|INIT_CWD|NODE_COMPILE_CACHE)/

/** The environment of somebody who has the Node of these tests and no clone: npm's settings stay as they are here. */
function elsewhere(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !OF_THE_CLONE.test(name))
  const path = (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => !folder.includes('node_modules'))
  return {
    ...Object.fromEntries(own),
    PATH: [dirname(process.execPath), ...path].join(delimiter),
    ...more,
  }
}

/** What npm prints. Throws with what it said where it failed. */
export async function npm(words: readonly string[], cwd: string): Promise<string> {
  const script = process.env['npm_execpath']
  const [program, before] = script === undefined ? ['npm', []] : [process.execPath, [script]]
  const { stdout } = await promisify(execFile)(program, [...before, ...words], {
    cwd,
    env: elsewhere(),
    maxBuffer: 1e8,
  })
  return stdout
}

/** A program's folder outside the clone, with a user's folder of its own, and what npm installs in it. */
export class Program {
  readonly folder = mkdtempSync(join(tmpdir(), 'tokenkeeper-installed-'))
  readonly userFolder = join(this.folder, 'user')

  constructor() {
    mkdirSync(this.userFolder)
    this.write('package.json', JSON.stringify({ name: 'program', version: '1.0.0', private: true }))
  }

  async install(...packages: readonly string[]): Promise<void> {
    await npm(['install', '--no-audit', '--no-fund', '--loglevel=error', ...packages], this.folder)
  }

  write(file: string, text: string): string {
    const path = join(this.folder, file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
    return path
  }

  get env(): NodeJS.ProcessEnv {
    return elsewhere({ HOME: this.userFolder })
  }

  /** How a program here ends: with the folder's own tools, as `npx` finds them. */
  run(words: readonly string[], env: NodeJS.ProcessEnv = this.env): Promise<Ran> {
    const [program = '', ...args] = words
    return new Promise((resolve) => {
      const child = execFile(program, args, { cwd: this.folder, env }, (_, stdout, stderr) =>
        resolve({ code: child.exitCode, stdout, stderr }),
      )
    })
  }

  path(...names: readonly string[]): string {
    return join(this.folder, ...names)
  }

  /** What it takes of the disk, as `du -sm node_modules` says. */
  get installedMegabytes(): number {
    const folder = this.path('node_modules')
    const blocks = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map(
      (name) => lstatSync(join(folder, name)).blocks,
    )
    return Math.ceil((blocks.reduce((sum, count) => sum + count, 0) * 512) / 2 ** 20)
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}
