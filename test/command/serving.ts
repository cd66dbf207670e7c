import { once } from 'node:events'
import { type CommandLine, ended } from './command.ts'

/** A real `serve` over the accounts of a home, and keys for it. */
export interface Serving {
  readonly url: string
  key(...args: readonly string[]): Promise<string>
  stop(): Promise<void>
}

export async function serving(line: CommandLine): Promise<Serving> {
  const child = line.spawn(['serve', '--port', '0'])
  const end = ended(child)
  let said = ''
  child.stdout?.on('data', (chunk) => {
    said += chunk
  })
  while (!said.includes('/health')) await once(child.stdout as NodeJS.ReadableStream, 'data')
  return {
    url: /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0] ?? '',
    async key(...args) {
      return (await line.run(['keys', 'create', '--name', 'a test', ...args])).stdout.trim()
    },
    async stop() {
      child.kill('SIGINT')
      await end
    },
  }
}
