import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { pathToFileURL } from 'node:url'
import type { Invoked } from './invoker.ts'

const INVOKER = new URL('./invoker.ts', import.meta.url).pathname

/** A warm container with one of the bundles. */
export interface Container {
  invoke(event: unknown): Promise<Invoked>
  close(): void
}

export async function startContainer(
  bundle: string,
  environment: Readonly<Record<string, string>>,
): Promise<Container> {
  const child: ChildProcess = spawn(process.execPath, [INVOKER, bundle], {
    env: { ...environment },
    // Its log lines are the function's own and not what is measured here; they are read and thrown away.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  await once(child, 'message')
  return {
    async invoke(event) {
      child.send(event as object)
      const [invoked] = (await once(child, 'message')) as [Invoked]
      return invoked
    },
    close: () => void child.kill(),
  }
}

/** Milliseconds from the import of a bundle to its handler being ready, in a process of its own. */
export function coldStartMs(bundle: string, environment: Readonly<Record<string, string>>): number {
  const script = `const start = performance.now()
await import(${JSON.stringify(pathToFileURL(bundle).href)})
process.stdout.write(String(performance.now() - start))`
  const args = ['--input-type=module', '--eval', script]
  return Number(execFileSync(process.execPath, args, { env: { ...environment }, encoding: 'utf8' }))
}

/** Measures two things in turn, A B B A …, so that a machine that drifts does so for both. */
export async function paired(
  pairs: number,
  a: (pair: number) => Promise<number>,
  b: (pair: number) => Promise<number>,
): Promise<{ readonly a: number; readonly b: number; readonly ratio: number }> {
  const as: number[] = []
  const bs: number[] = []
  for (let pair = 0; pair < pairs; pair++) {
    if (pair % 2 === 0) as.push(await a(pair))
    bs.push(await b(pair))
    if (pair % 2 === 1) as.push(await a(pair))
  }
  return {
    a: median(as),
    b: median(bs),
    ratio: median(as.map((value, pair) => value / (bs[pair] as number))),
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((x, y) => x - y)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}
