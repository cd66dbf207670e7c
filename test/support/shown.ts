import { Temporal } from 'temporal-polyfill'

/** Instants as text that says what they are: compared as objects they would all be equal. */
export function shown(value: unknown): unknown {
  if (value instanceof Temporal.Instant) return `Instant ${value}`
  if (Array.isArray(value)) return value.map(shown)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, shown(item)]))
}
