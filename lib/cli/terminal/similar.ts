/** A slip of the pen is a letter or two. */
const FARTHEST = 2

/** Advice that begins with the name that was probably meant, if there is one. */
export function didYouMean(given: string, names: readonly string[], advice: string): string {
  const meant = mostSimilar(given, names)
  return meant === undefined ? advice : `did you mean ${meant}? Else ${advice}`
}

/** The name that differs least, in capitals or by a letter or two. */
function mostSimilar(given: string, names: readonly string[]): string | undefined {
  const lower = given.toLowerCase()
  const [first] = names
    .map((name) => ({ name, apart: distance(lower, name.toLowerCase()) }))
    .filter(({ name, apart }) => apart <= FARTHEST && apart < name.length / 2)
    .toSorted((a, b) => a.apart - b.apart)
  return first?.name
}

/** Letters to put in, take out or replace (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (const [line, letter] of [...a].entries()) {
    const next = [line + 1]
    for (let column = 1; column <= b.length; column++) {
      const replaced = (row[column - 1] as number) + (letter === b[column - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[column] as number) + 1, (next[column - 1] as number) + 1))
    }
    row = next
  }
  return row[b.length] as number
}
