/**
 * One assignment of a dotenv file, as the dotenv library reads it, in parts: what stands before the value, the value
 * with its quotes (which may span lines), what stands after it on the line. Values are matched so that a line inside
 * of one is not taken for an assignment.
 */
const ASSIGNMENT =
  /^([ \t]*(?:export[ \t]+)?([\w.-]+)[ \t]*=[ \t]*)('(?:\\'|[^'])*'|"(?:\\"|[^"])*"|`(?:\\`|[^`])*`|[^#\r\n]*?)([ \t]*(?:#[^\r\n]*)?)(\r?\n|$)/gm

/** The text with these variables set: in their place where they are there, at the end where not. */
export function withVariables(text: string, values: ReadonlyMap<string, string>): string {
  const missing = new Map(values)
  const replaced = text.replace(
    ASSIGNMENT,
    (line: string, before: string, name: string, _: string, after: string, end: string) => {
      const value = values.get(name)
      if (value === undefined) return line
      missing.delete(name)
      return `${before}${value}${after}${end}`
    },
  )
  if (missing.size === 0) return replaced
  const newline = /\r\n/.test(text) ? '\r\n' : '\n'
  const gap = replaced === '' || replaced.endsWith('\n') ? '' : newline
  return `${replaced}${gap}${[...missing].map(([name, value]) => `${name}=${value}${newline}`).join('')}`
}

/** The text without the lines that set these variables. */
export function withoutVariables(text: string, names: ReadonlySet<string>): string {
  return text.replace(ASSIGNMENT, (line: string, _: string, name: string) => (names.has(name) ? '' : line))
}

/** The names of the variables a text sets. */
export function variablesIn(text: string): ReadonlySet<string> {
  return new Set([...text.matchAll(ASSIGNMENT)].map(([, , name = '']) => name))
}

/**
 * A value no reader takes apart: shells and the dotenv library leave what single quotes enclose alone. `undefined` for
 * one that no quotes of both enclose.
 */
export function quoted(value: string): string | undefined {
  if (!value.includes("'")) return `'${value}'`
  return /["$`\\]/.test(value) ? undefined : `"${value}"`
}
