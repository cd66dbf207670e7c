import type { ClientToken } from './sources/token-source.ts'

export type NewTokenListener = (token: ClientToken) => void | Promise<void>

export interface NewTokenListenersOptions {
  /** Looks for a newer token at most this often while anybody listens, in seconds. @default - never by itself */
  readonly watchSeconds?: number | undefined
  /** Reads the published token; finding another one tells the listeners. */
  readonly look: () => Promise<unknown>
}

/** Who wants to know of a new token: sockets that must reconnect with it. */
export class NewTokenListeners {
  readonly #listeners = new Set<NewTokenListener>()
  readonly #watchMs: number | undefined
  readonly #look: () => Promise<unknown>
  #timer: NodeJS.Timeout | undefined

  constructor({ watchSeconds, look }: NewTokenListenersOptions) {
    this.#watchMs = watchSeconds === undefined ? undefined : watchSeconds * 1_000
    this.#look = look
  }

  /** Gives the function that ends it. */
  add(listener: NewTokenListener): () => void {
    // One function may listen twice, and each ends for itself.
    const own: NewTokenListener = (token) => listener(token)
    this.#listeners.add(own)
    this.#schedule()
    return () => {
      this.#listeners.delete(own)
      if (this.#listeners.size === 0) this.#stop()
    }
  }

  /** A listener that fails touches neither the others nor whoever asked for the token. */
  tell(token: ClientToken): void {
    for (const listener of this.#listeners) {
      void told(listener, token)
    }
  }

  clear(): void {
    this.#listeners.clear()
    this.#stop()
  }

  #stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** The next look begins when the last one has ended; it keeps no process alive. */
  #schedule(): void {
    if (this.#watchMs === undefined || this.#timer !== undefined || this.#listeners.size === 0) return
    const timer = setTimeout(async () => {
      // A source that is away now is asked again at the next turn; calls tell their callers.
      await this.#look().catch(() => undefined)
      if (this.#timer !== timer) return
      this.#timer = undefined
      this.#schedule()
    }, this.#watchMs).unref()
    this.#timer = timer
  }
}

async function told(listener: NewTokenListener, token: ClientToken): Promise<void> {
  try {
    await listener(token)
  } catch (error) {
    // Its message is the listener's own and may hold what it was given.
    const kind = error instanceof Error ? error.name : typeof error
    process.emitWarning(`a listener for new tokens of ${token.account} failed: ${kind}`, 'TokenkeeperWarning')
  }
}
