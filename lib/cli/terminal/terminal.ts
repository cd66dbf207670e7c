import { styleText } from 'node:util'
import { BARE, type CommandWords, worded } from '../../model/command-words.ts'
import { maskSecrets } from '../../model/secrets/secret.ts'

export type Style = Parameters<typeof styleText>[0]

/** Where a command writes, and what may be written there. */
export interface Terminal {
  /** Whether somebody can be asked. */
  readonly interactive: boolean
  /** Whether lines on stdout may be drawn over. */
  readonly live: boolean
  /** Columns of stdout; without limit when it is no terminal, so that each line stays one line for grep. */
  readonly columns: number
  readonly rows: number
  readonly ascii: boolean
  readonly json: boolean
  readonly verbose: boolean
  /** To stdout as it stands. Tells whether it arrived, as far as that is known at once. */
  write(text: string): boolean
  /** One or more lines to stdout, unless only JSON is wanted. */
  print(text?: string): void
  /** To stderr. */
  note(text: string): void
  /** To stderr, for somebody who has to hear it. Throws where nobody can. */
  alert(text: string): void
  /** The one JSON object of a command with --json. */
  object(value: unknown): void
  /** One of many, on a line of its own. */
  objectLine(value: unknown): void
  /**
   * A line to stdout as it is, neither masked nor coloured nor cut: for the address of a login page, which names the
   * app's client id and has to be copied whole.
   */
  verbatim(text: string): void
  /** The same to stderr where only JSON is wanted on stdout. */
  address(url: string): void
  /** A text with its commands as they run where this is read; what is written is put so in any case. */
  worded(text: string): string
  /** The same place for whoever reads other commands there. */
  reading(words: CommandWords): Terminal
  /** Colours only on a terminal, and not where NO_COLOR is set. */
  style(style: Style, text: string): string
}

export interface TerminalOptions {
  readonly json?: boolean | undefined
  readonly ascii?: boolean | undefined
  readonly verbose?: boolean | undefined
  /** How whoever reads this calls our command. @default - by its bare name */
  readonly words?: CommandWords
}

type Streams = Pick<typeof process, 'stdin' | 'stdout' | 'stderr'>

export function terminal(options: TerminalOptions, streams: Streams = process): Terminal {
  const { stdin, stdout, stderr } = streams
  const { json = false, ascii = false, verbose = false, words = BARE } = options
  const inWords = (text: string): string => worded(text, words)
  const object = (value: unknown, space?: number): string =>
    JSON.stringify(value, (_, part) => (typeof part === 'string' ? inWords(part) : part), space)
  const shown = (text: string): string => {
    const masked = inWords(maskSecrets(text))
    return ascii ? plain(masked) : masked
  }
  const write = (text: string): boolean => {
    stdout.write(shown(text))
    return !stdout.errored
  }
  const note = (text: string): void => void stderr.write(`${shown(text)}\n`)
  return {
    interactive: stdin.isTTY === true && stdout.isTTY === true && !json,
    live: stdout.isTTY === true && !json,
    get columns() {
      return stdout.isTTY ? Math.max(40, stdout.columns) : Number.POSITIVE_INFINITY
    },
    get rows() {
      return stdout.isTTY ? stdout.rows : Number.POSITIVE_INFINITY
    },
    ascii,
    json,
    verbose,
    write,
    print(text = '') {
      if (!json) write(`${text}\n`)
    },
    note,
    alert(text) {
      note(text)
      // Pipes and files are written at once; what failed is known here.
      if (stderr.errored) throw stderr.errored
    },
    object: (value) =>
      void write(`${object(value, 2)}
`),
    objectLine: (value) =>
      void write(`${object(value)}
`),
    verbatim: (text) => void stdout.write(`${text}\n`),
    address: (url) => void (json ? stderr : stdout).write(`${url}\n`),
    worded: inWords,
    reading: (others) => terminal({ ...options, words: others }, streams),
    style: (style, text) => styleText(style, text, { stream: stdout }),
  }
}

/** Letters lose their accents; what has no counterpart becomes a question mark. */
function plain(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replace(/\u2026/g, '...')
    .replace(/\p{Pd}/gu, '-')
    .replace(/\P{ASCII}/gu, '?')
}
