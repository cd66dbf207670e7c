import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Ended } from './deployment-processes.ts'

const README = readFileSync(resolve(import.meta.dirname, '../../../lib/client/README.md'), 'utf8')
/** No example takes this long; what hangs is ended. */
const LONGEST_RUN_MS = 30_000

/** The one code block of lib/client/README.md in this language whose first line begins with this comment. Throws without it. */
export function readmeExample(language: string, comment: string): string {
  const fence = new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'gm')
  const blocks = [...README.matchAll(fence)].map(([, code = '']) => code)
  const [block, ...others] = blocks.filter((code) => code.startsWith(comment))
  if (block !== undefined && others.length === 0) return block
  throw new Error(
    `lib/client/README.md must have exactly one block of ${language} that begins with "${comment}"`,
  )
}

/** The whole path of a program. Throws unless this machine has it. */
export function needed(program: string, debianPackage: string): string {
  const path = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, program))
  const found = path.find((one) => existsSync(one))
  if (found !== undefined) return found
  throw new Error(
    `${program} is missing: install it (Debian: apt-get install ${debianPackage}), the README’s examples need it`,
  )
}

/** Runs a program to its end with these variables and the PATH. */
export async function runProgram(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  cwd: string,
): Promise<Ended> {
  const child = spawn(program, args, {
    env: { PATH: process.env['PATH'], ...env },
    cwd,
    timeout: LONGEST_RUN_MS,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ])
  return { code, stdout, stderr }
}
