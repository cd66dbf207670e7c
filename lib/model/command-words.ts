/**
 * Every text names a command of ours in one plain form, `tokenkeeper <command> …`, wherever it is made: in
 * the domain, by a broker's adapter, in a record that is read days later. Where somebody reads the text, the
 * command is replaced by the one that runs there.
 *
 * A command ends with its text or before one of `, ; : ) .`, which separates it from the sentence around it;
 * test/model/command-words.test.ts runs each of them past the command line's own parser.
 */
export type CommandWords =
  /** What is typed in place of `tokenkeeper`: `npx tokenkeeper`, `npx tokenkeeper --backend aws`. */
  | { readonly call: string }
  /** What to do instead, in a place where no command can be run. */
  | { readonly instead: string }

/** The plain form itself, for places where `tokenkeeper` is installed. */
export const BARE: CommandWords = { call: 'tokenkeeper' }

/**
 * Every command. Where another word follows "tokenkeeper", the text is about the program and not a command.
 */
export const COMMAND_NAMES = [
  'alerts',
  'check',
  'doctor',
  'exec',
  'keys',
  'login',
  'markets',
  'mirrors',
  'pause',
  'put',
  'refresh',
  'remove',
  'resume',
  'serve',
  'setup',
  'simulate',
  'status',
  'token',
  'vault',
] as const

/** The characters that end a command; a colon and a full stop end one only before a space. */
const NOT_IN_ONE = '\\s\\p{Cc}\'"`,;()<>|…'
/** A quoted argument, or one up to the punctuation of the sentence. */
const ARGUMENT = `(?:'[^'\\p{Cc}]*'|[^${NOT_IN_ONE}]*[^${NOT_IN_ONE}:.])`
const COMMAND = new RegExp(
  String.raw`(?<![\w./-](?<!\u001b\[\d+m))(?<!npx )(?<verb>(?:[Rr]un|[Uu]se) )?(?<command>tokenkeeper (?:${COMMAND_NAMES.join('|')})(?![\w-])(?: ${ARGUMENT})*)`,
  'gu',
)
const PROGRAM = 'tokenkeeper'

/**
 * The text with its commands in the words of the place where it is read. A command that has them already is
 * left alone. `as` formats each command.
 */
export function worded(
  text: string,
  words: CommandWords,
  as: (command: string) => string = (command) => command,
): string {
  if (!text.includes(PROGRAM)) return text
  return text.replace(COMMAND, (...found) => {
    const { verb = '', command } = found.at(-1) as { readonly verb?: string; readonly command: string }
    if ('call' in words) return verb + as(words.call + command.slice(PROGRAM.length))
    const { instead } = words
    // The advice takes the verb's place, with a capital where the verb had one.
    return as(/^[A-Z]/.test(verb) ? instead.charAt(0).toUpperCase() + instead.slice(1) : instead)
  })
}

/** The commands a text names, in their plain form. */
export function commandsIn(text: string): readonly string[] {
  return [...text.matchAll(COMMAND)].map(({ groups }) => groups?.['command'] as string)
}

/** How the command is called for a deployed stack, in the clone from which it was deployed. */
export function stackCommand(backend: 'local' | 'aws'): string {
  return backend === 'aws' ? 'npx tokenkeeper' : 'npx tokenkeeper --backend aws'
}

/** The text quoted, where needed, so that a shell takes it as one word. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}
