const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
/** npm and a launcher may each pass on the Ctrl-C that the terminal has already delivered: that is one. */
const ECHO_MS = 1_000

/** Resolves at the first Ctrl-C or termination. A second Ctrl-C a little later ends the process at once. */
export function interrupted(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let first: bigint | undefined
  const stop = (): void => {
    const now = process.hrtime.bigint()
    first ??= now
    if (now - first > BigInt(ECHO_MS) * 1_000_000n) process.exit(130)
    resolve()
  }
  for (const signal of SIGNALS) process.on(signal, stop)
  return promise
}
