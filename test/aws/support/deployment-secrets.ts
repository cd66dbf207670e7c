/** Shorter values (a PIN) stand in innocent numbers too: they count where they are a value of their own. */
const SHORTEST_PLAIN_LENGTH = 8

/** Where something was written, and what. */
export interface Output {
  readonly where: string
  readonly text: string
}

export interface Leak {
  readonly where: string
  /** Its name, never its value. */
  readonly secret: string
}

/** Every output that holds one of the secrets (their values by their names), in whatever form. */
export function leaksIn(
  outputs: readonly Output[],
  secrets: Readonly<Record<string, string>>,
): readonly Leak[] {
  return Object.entries(secrets).flatMap(([secret, value]) => {
    const forms = formsOf(value)
    const leaking = outputs.filter(({ text }) => forms.some((form) => text.includes(form)))
    return leaking.map(({ where }) => ({ where, secret }))
  })
}

/** A value as it may be written: in clear, in JSON (also within JSON), in a URL or a form, and in base64. */
function formsOf(value: string): readonly string[] {
  if (value.length < SHORTEST_PLAIN_LENGTH) {
    const quoted = [`"${value}"`, `"${value}\\`, `'${value}'`]
    return [...quoted, `=${value}&`, `=${value} `, `=${value}\n`, base64(value)]
  }
  const json = JSON.stringify(value)
  const nested = JSON.stringify(json)
  const inForm = new URLSearchParams({ value }).toString().slice('value='.length)
  return [
    ...[value, json.slice(1, -1), nested.slice(3, -3), encodeURIComponent(value), inForm],
    ...base64Amid(value),
  ]
}

/** Base64 turns three bytes into four letters: how a value looks depends on where among three bytes it starts. */
function base64Amid(value: string): readonly string[] {
  return [0, 1, 2].flatMap((before) => {
    const bits = 8 * (before + Buffer.byteLength(value))
    // The letters at both ends may carry bits of the neighbours.
    const own = base64('\0'.repeat(before) + value).slice(Math.ceil((8 * before) / 6), Math.floor(bits / 6))
    return [own, own.replaceAll('+', '-').replaceAll('/', '_')]
  })
}

function base64(value: string): string {
  return Buffer.from(value).toString('base64')
}
