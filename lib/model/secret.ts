import { inspect } from 'node:util'

/** Shorter values (a four-digit PIN, say) would blank out innocent text when masked, so they are left to the first net: the `Secret` type itself. */
const SHORTEST_MASKED_LENGTH = 8
const MASK = '[secret]'

/** Values no {@link Secret} holds any more are masked for a while longer: text about them may still be on its way. */
const MOST_DROPPED = 500

interface Known {
  readonly value: string
  /** How many Secrets of this value the process still has. */
  holders: number
}

const known = new Map<string, Known>()
/** Known values without a holder, the one dropped last at the end. */
const dropped = new Set<Known>()
/** Tells of Secrets that were collected as garbage: a long-lived process needs no one to forget them. */
const collected = new FinalizationRegistry<Known>((entry) => {
  entry.holders -= 1
  if (entry.holders > 0 || known.get(entry.value) !== entry) return
  dropped.add(entry)
  const [oldest] = dropped
  if (oldest === undefined || dropped.size <= MOST_DROPPED) return
  dropped.delete(oldest)
  known.delete(oldest.value)
})

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
    if (masked && value.length >= SHORTEST_MASKED_LENGTH) remember(value, this)
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

function remember(value: string, holder: Secret): void {
  const entry = known.get(value) ?? { value, holders: 0 }
  entry.holders += 1
  known.set(value, entry)
  dropped.delete(entry)
  collected.register(holder, entry)
}

/**
 * The text with every secret value this process has loaded blanked out, also in its base64 and
 * percent-encoded forms. The second net behind the `Secret` type: for text that came from elsewhere, such as a
 * library's error message.
 */
export function maskSecrets(text: string): string {
  let masked = text
  // No form of a value is shorter than itself.
  const possible = [...known.keys()].filter(({ length }) => length <= text.length)
  // The longest first: one that begins with another would keep its tail.
  for (const value of possible.sort((a, b) => b.length - a.length)) {
    for (const form of [value, encodeURIComponent(value), Buffer.from(value).toString('base64')]) {
      if (masked.includes(form)) masked = masked.replaceAll(form, MASK)
    }
  }
  return masked
}

/** Ends the masking of values loaded so far: for between two invocations, when none of them is in use. */
export function forgetSecrets(): void {
  known.clear()
  dropped.clear()
}
