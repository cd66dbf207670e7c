/**
 * Texts name a command of ours in one plain form, `tokenkeeper <command> …`, wherever they are made: in the domain, by a
 * broker's adapter, in a record that is read days later. Where somebody reads them, the command is put as it runs there.
 *
 * A command ends with its text or before one of `, ; : ) .`, so that it can be told from the sentence around it;
 * test/model/command-words.test.ts runs each of them past the command line's own parser.
 */
export type CommandWords =
  /** What is typed in place of `tokenkeeper`: `npx tokenkeeper`, `npx tokenkeeper --backend aws`. */
  | { readonly call: string }
  /** A place where no command does anything: what to do instead. */
  | { readonly instead: string }

/** As the command is called where it is installed. */
export const BARE: CommandWords = { call: 'tokenkeeper' }

/** Every command there is; a text that goes on otherwise after "tokenkeeper" is about the program. */
export const COMMAND_NAMES = [
  'alerts',
  'check',
  'doctor',
  'exec',
  'keys',
  'login',
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
] as const

/** What ends a command, beside a colon or a full stop before a space. */
const NOT_IN_ONE = '\\s\\p{Cc}\'"`,;()<>|…'
/** A quoted argument, or one that ends before the punctuation of the sentence. */
const ARGUMENT = `(?:'[^'\\p{Cc}]*'|[^${NOT_IN_ONE}]*[^${NOT_IN_ONE}:.])`
const COMMAND = new RegExp(
  String.raw`(?<![\w./-](?<!\u001b\[\d+m))(?<!npx )(?<verb>(?:[Rr]un|[Uu]se) )?(?<command>tokenkeeper (?:${COMMAND_NAMES.join('|')})(?![\w-])(?: ${ARGUMENT})*)`,
  'gu',
)
const PROGRAM = 'tokenkeeper'

/** A text with its commands as they run where it is read. One that says so already stays as it is. */
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
    // It takes the verb's place, at the beginning of a sentence as well.
    return as(/^[A-Z]/.test(verb) ? instead.charAt(0).toUpperCase() + instead.slice(1) : instead)
  })
}

/** The commands a text names, in their plain form. */
export function commandsIn(text: string): readonly string[] {
  return [...text.matchAll(COMMAND)].map(({ groups }) => groups?.['command'] as string)
}

/** How people call the command for a deployed stack, in the clone it was deployed from. */
export function stackCommand(backend: 'local' | 'aws'): string {
  return backend === 'aws' ? 'npx tokenkeeper' : 'npx tokenkeeper --backend aws'
}

/** What a shell takes for one word. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}
