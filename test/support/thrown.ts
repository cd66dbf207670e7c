/** The error this work ends with. It must end with one, and of this kind. */
export async function thrownBy<Kind extends Error>(
  work: Promise<unknown> | undefined,
  kind: abstract new (...given: never[]) => Kind,
): Promise<Kind> {
  const thrown: unknown = await work?.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (thrown instanceof kind) return thrown
  throw new Error(`it did not end with a ${kind.name}`, { cause: thrown })
}

/** The error this work throws at once. It must throw one. */
export function thrownAtOnce(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}
