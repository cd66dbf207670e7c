import { stripVTControlCharacters } from 'node:util'
import type { Terminal } from './terminal.ts'

const ERASE_LINE = '\x1b[2K'
const UP = '\x1b[1A'
const HIDE_CURSOR = '\x1b[?25l'
const SHOW_CURSOR = '\x1b[?25h'

/**
 * The last lines of a terminal, drawn over whenever they change while other lines scroll past above them. Where
 * output is piped there is no such region: only what is said above it is written.
 */
export class LiveRegion {
  readonly #terminal: Terminal
  #lines: readonly string[] = []

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  /** Each line must fit the terminal's width. */
  update(lines: readonly string[]): void {
    if (!this.#terminal.live) return
    // A region higher than the screen cannot be drawn over: its last lines matter most.
    const fitting = lines.slice(-Math.max(1, this.#terminal.rows - 2))
    if (fitting.length === this.#lines.length && fitting.every((line, index) => line === this.#lines[index]))
      return
    this.#terminal.write(`${HIDE_CURSOR}${this.#erased()}${fitting.map((line) => `${line}\n`).join('')}`)
    this.#lines = fitting
  }

  /** Writes lines that stay, above the region. Tells whether they arrived, as `write` does. */
  above(text: string): boolean {
    const lines = this.#lines
    return this.#terminal.write(`${this.#erased()}${text}\n${lines.map((line) => `${line}\n`).join('')}`)
  }

  /** Ends the region; what it shows is erased, or stays where `keep` is set. */
  close(options: { readonly keep?: boolean } = {}): void {
    if (!this.#terminal.live) return
    this.#terminal.write(`${options.keep ? '' : this.#erased()}${SHOW_CURSOR}`)
    this.#lines = []
  }

  /** A terminal that was made narrower since has broken lines that fitted. */
  #erased(): string {
    const { columns } = this.#terminal
    const rows = this.#lines.map((line) =>
      Math.max(1, Math.ceil(stripVTControlCharacters(line).length / columns)),
    )
    return `${UP}${ERASE_LINE}`.repeat(rows.reduce((sum, count) => sum + count, 0))
  }
}
