/**
 * What the work gives, or an error if a timer of so many milliseconds, set at the same moment, is over first. Not a
 * stopwatch: a busy machine holds up both alike, and with them nothing is said of the machine.
 */
export async function endsWithin<T>(milliseconds: number, work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it had not ended after ${milliseconds} ms`)), milliseconds)
  })
  try {
    return await Promise.race([work(), over])
  } finally {
    clearTimeout(timer)
  }
}
