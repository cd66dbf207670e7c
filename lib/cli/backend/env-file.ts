import { ConfigurationError } from '../../model/errors.ts'

const ASSIGNMENT = /^\s*(?:export\s+)?(?:'([^']+)'|([^\s=#]+))\s*=(.*)$/
const ANOTHER_ASSIGNMENT = /\s[A-Za-z_]\w*=/
/** python-dotenv's escapes in double quotes. */
const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}

/**
 * The variables of a .env file, each with the value python-dotenv 1.2 reads, whose users these files come from; what other
 * readers read otherwise, or what cannot be meant, is refused. dotenv, the npm package, ends an unquoted value at any `#`,
 * which cuts passwords. Throws ConfigurationError naming the line and the doubt, never the value.
 */
export function parseEnvFile(text: string, shown: string): Readonly<Record<string, string>> {
  const values: Record<string, string> = {}
  for (const [index, line] of text.split(/\r\n|\n|\r/).entries()) {
    if (/^\s*(#|$)/.test(line)) continue
    const refuse = (doubt: string, fix: string): ConfigurationError =>
      new ConfigurationError(`line ${index + 1} of ${shown} can be read in more than one way: ${doubt}`, {
        fix,
      })
    const [, quotedName, plainName, raw] = ASSIGNMENT.exec(line) ?? []
    const name = quotedName ?? plainName
    // A name alone has no value, for python-dotenv as well.
    if (name === undefined || raw === undefined) continue
    const value = valueBehind(raw, /^\s*export\s/.test(line), refuse)
    if (value.includes('${')) throw refuse('it refers to another variable', 'write the value itself')
    values[name] = value
  }
  return values
}

type Refuse = (doubt: string, fix: string) => ConfigurationError

function valueBehind(behind: string, isExport: boolean, refuse: Refuse): string {
  // To python-dotenv 1.2 the value, to others a comment: a password may begin so, and an empty one must not replace it.
  if (/^\s+#/.test(behind)) {
    throw refuse(
      'what begins with # may be its value or a comment',
      'put a value in quotes, or leave it and a comment out',
    )
  }
  const raw = behind.trimStart()
  const [quote = ''] = raw
  if (/[\u2018\u2019\u201c\u201d]/.test(quote)) {
    throw refuse('it begins with a curly quote', 'use straight quotes, or none')
  }
  if (quote === '"' || quote === "'") return quoted(raw, quote, refuse)
  const value = raw.replace(/\s+#.*$/, '').trimEnd()
  if (isExport && ANOTHER_ASSIGNMENT.test(value)) {
    throw refuse('it seems to set several variables', 'write each on a line of its own')
  }
  return value
}

function quoted(raw: string, quote: string, refuse: Refuse): string {
  const end = closing(raw, quote)
  if (end === undefined) throw refuse('its quote is not closed', 'close the quote on the same line')
  if (!/^\s*(#.*)?$/.test(raw.slice(end + 1))) {
    throw refuse(
      'something stands behind the closing quote',
      'write a quote inside as \\" or leave the quotes out',
    )
  }
  const inner = raw.slice(1, end)
  if (quote === "'") return inner.replace(/\\([\\'])/g, '$1')
  return inner.replace(/\\([\\'"abfnrtv])/g, (_, character: string) => ESCAPES[character] ?? character)
}

/** Where the quote that opens the text is closed: the first one that no backslash stands before. */
function closing(raw: string, quote: string): number | undefined {
  for (let index = 1; index < raw.length; index++) {
    if (raw[index] === '\\') index += 1
    else if (raw[index] === quote) return index
  }
  return undefined
}
