/** SSM is eventually consistent: what was just written may not be there at once. */
const STALE_READ_PAUSES_MS = [200, 500, 1_000]

/**
 * A read, repeated after each of a few short pauses while `isStale` says of what it gave that it is older than what is
 * known to have been written. Gives the last read, which may be stale still. Throws what the read throws.
 */
export async function settledRead<T>(
  read: () => Promise<T>,
  isStale: (found: T) => boolean,
  clock: { sleep(milliseconds: number): Promise<void> },
): Promise<T> {
  let found = await read()
  for (const pauseMs of STALE_READ_PAUSES_MS) {
    if (!isStale(found)) break
    await clock.sleep(pauseMs)
    found = await read()
  }
  return found
}
