/**
 * What can be read of a list, item by item; then the first error, if one could not be: a record that was spoilt by hand
 * keeps no other account from being worked on. Throws what `decode` throws.
 */
export function* readable<Stored, Value>(
  items: Iterable<Stored>,
  decode: (item: Stored) => Value,
): Generator<Value> {
  let first: { readonly error: unknown } | undefined
  for (const item of items) {
    let value: Value
    try {
      value = decode(item)
    } catch (error) {
      first ??= { error }
      continue
    }
    yield value
  }
  if (first) throw first.error
}
