import type { ChildProcess } from 'node:child_process'
import type { Readable } from 'node:stream'

export interface Heard {
  /** Everything said so far. */
  said(): string
  /** Waits until it has been said, and gives that part. Fails when the process ends without it. */
  saying(text: string | RegExp): Promise<string>
}

/** Listens to a process from its start on: to both of its streams, where nothing else is said. */
export function heard(
  child: ChildProcess,
  streams: readonly (Readable | null)[] = [child.stdout, child.stderr],
): Heard {
  let said = ''
  let hasEnded = false
  const waiting = new Set<() => void>()
  const look = (): void => {
    for (const one of waiting) one()
  }
  for (const stream of streams) {
    stream?.on('data', (chunk) => {
      said += chunk
      look()
    })
  }
  child.once('close', () => {
    hasEnded = true
    look()
  })
  const found = (text: string | RegExp): string | undefined =>
    typeof text === 'string' ? (said.includes(text) ? text : undefined) : text.exec(said)?.[0]
  return {
    said: () => said,
    saying: (text) =>
      new Promise((resolve, reject) => {
        const one = (): void => {
          const part = found(text)
          if (part === undefined && !hasEnded) return
          waiting.delete(one)
          if (part === undefined) reject(new Error(`it ended with: ${said}`))
          else resolve(part)
        }
        waiting.add(one)
        one()
      }),
  }
}
