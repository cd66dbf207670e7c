/**
 * The first answer of these policies, asked in the order in which they are written; `undefined` where none
 * has one.
 */
export function firstOf<Arguments extends readonly unknown[], Answer>(
  policies: Readonly<Record<string, (...given: Arguments) => Answer | undefined>>,
  ...given: Arguments
): Answer | undefined {
  for (const policy of Object.values(policies)) {
    const answer = policy(...given)
    if (answer !== undefined) return answer
  }
  return undefined
}
