import { createInterface, type Interface } from 'node:readline'
import type { Terminal } from '../terminal/terminal.ts'

/** Lines a person types or pastes, or a program pipes in, until the command ends. */
export interface Lines {
  /** Whether somebody can be asked again. */
  readonly interactive: boolean
  /** The next line, asked for with `prompt`; `undefined` when no further one will come. */
  next(prompt: string): Promise<string | undefined>
  /** Gives up the question that stands; what comes then is for the next one. */
  release(): void
  close(): void
}

/** Reads stdin. `onInterrupt` is called at Ctrl-C, which a terminal that is being read does not signal. */
export function stdinLines(terminal: Terminal, onInterrupt: () => void): Lines {
  const { stdin, stdout, stderr } = process
  const interactive = stdin.isTTY === true
  const output = terminal.json ? stderr : stdout
  let reader: Interface | undefined
  let over = false
  const waiting: string[] = []
  let wanted: ((line: string | undefined) => void) | undefined

  const give = (line: string | undefined): void => {
    const taker = wanted
    wanted = undefined
    if (taker) taker(line)
    else if (line !== undefined) waiting.push(line)
  }
  const open = (): Interface => {
    const lines = createInterface({
      input: stdin,
      ...(interactive && { output, terminal: true }),
      // What is pasted here works once, and is nobody's business later.
      historySize: 0,
    })
    lines.on('line', give)
    lines.on('SIGINT', onInterrupt)
    lines.on('close', () => {
      over = true
      give(undefined)
    })
    return lines
  }
  return {
    interactive,
    next(prompt) {
      reader ??= open()
      const line = waiting.shift()
      if (line !== undefined || over) return Promise.resolve(line)
      if (interactive) {
        reader.setPrompt(prompt)
        reader.prompt()
      }
      return new Promise((resolve) => {
        wanted = resolve
      })
    },
    release() {
      if (!wanted) return
      wanted = undefined
      if (interactive) output.write('\n')
    },
    close() {
      reader?.close()
      stdin.pause()
    },
  }
}
