import { inspect } from 'node:util'

/** Shorter values (a four-digit PIN, say) would blank out innocent text when masked, so they are left to the first net: the `Secret` type itself. */
const SHORTEST_MASKED_LENGTH = 8
const MASK = '[secret]'

const known = new Set<string>()

/**
 * A value that must never be seen: printing, logging, serialising or interpolating it gives `[secret]`.
 *
 * `reveal()` is the one way out, so a reviewer can list every use of a secret with one search.
 */
export class Secret {
  readonly #value: string

  /** `masked: false` for what is stored beside secrets but is none: a user id must be readable in a message. */
  constructor(value: string, { masked = true }: { readonly masked?: boolean } = {}) {
    this.#value = value
    if (masked && value.length >= SHORTEST_MASKED_LENGTH) known.add(value)
  }

  /** The value in clear, for the wire or the vault and nothing else. */
  reveal(): string {
    return this.#value
  }

  get length(): number {
    return this.#value.length
  }

  equals(other: Secret): boolean {
    return this.#value === other.#value
  }

  toString(): string {
    return MASK
  }

  toJSON(): string {
    return MASK
  }

  [Symbol.toPrimitive](): string {
    return MASK
  }

  [inspect.custom](): string {
    return MASK
  }
}

/**
 * The text with every secret value this process has loaded blanked out, also in its base64 and
 * percent-encoded forms. The second net behind the `Secret` type: for text that came from elsewhere, such as a
 * library's error message.
 */
export function maskSecrets(text: string): string {
  let masked = text
  // The longest first: one that begins with another would keep its tail.
  for (const value of [...known].sort((a, b) => b.length - a.length)) {
    for (const form of [value, encodeURIComponent(value), Buffer.from(value).toString('base64')]) {
      if (masked.includes(form)) masked = masked.replaceAll(form, MASK)
    }
  }
  return masked
}

/** Ends the masking of values loaded so far, so that a long-lived process does not collect them for ever. */
export function forgetSecrets(): void {
  known.clear()
}
