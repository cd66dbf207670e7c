import { inspect } from 'node:util'

/**
 * Shorter values are not masked in texts, since a four-digit PIN, say, would blank out innocent text. The
 * `Secret` type itself still hides them.
 */
const SHORTEST_MASKED_LENGTH = 8
const MASK = '[secret]'

/**
 * How many values are still masked after their last {@link Secret} is gone: texts with them may still be on
 * their way.
 */
const MOST_DROPPED = 500

interface Known {
  readonly value: string
  /** How many Secrets of this value are in memory. */
  holders: number
}

const known = new Map<string, Known>()
/** Known values without a holder; the one dropped last is at the end. */
const dropped = new Set<Known>()
/**
 * Notices when a Secret was collected as garbage, so that a long-lived process does not mask values for ever.
 */
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

  /**
   * `masked: false` is for values that are stored beside secrets but are none: a user id must be readable in
   * a message.
   */
  constructor(value: string, { masked = true }: { readonly masked?: boolean } = {}) {
    this.#value = value
    if (masked && value.length >= SHORTEST_MASKED_LENGTH) remember(value, this)
  }

  /** The value in clear. Only for a request or the vault. */
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
 * The text with every secret value that this process has loaded replaced by `[secret]`, in base64 and
 * percent-encoded form too. For texts from elsewhere, such as a library's error message, which the `Secret`
 * type cannot protect.
 */
export function maskSecrets(text: string): string {
  let masked = text
  // No encoded form is shorter than the value, so a value longer than the text cannot be in it.
  const possible = [...known.keys()].filter(({ length }) => length <= text.length)
  // The longest value first: if a value begins with a shorter one, masking that first would leave its end
  // readable.
  for (const value of possible.sort((a, b) => b.length - a.length)) {
    for (const form of [value, encodeURIComponent(value), Buffer.from(value).toString('base64')]) {
      if (masked.includes(form)) masked = masked.replaceAll(form, MASK)
    }
  }
  return masked
}

/**
 * Ends the masking of the values loaded so far. Only for the time between two invocations, when none of them
 * is in use.
 */
export function forgetSecrets(): void {
  known.clear()
  dropped.clear()
}
