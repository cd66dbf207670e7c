import type { ClientToken } from './sources/token-source.ts'

export type NewTokenListener = (token: ClientToken) => void | Promise<void>

export interface NewTokenListenersOptions {
  /** Seconds between looks for a newer token, while there are listeners. @default - none by itself */
  readonly watchSeconds?: number | undefined
  /** Reads the published token, which tells the listeners where it is another one. */
  readonly look: () => Promise<unknown>
}

/** The functions that want to know of a new token, such as for sockets that must reconnect with it. */
export class NewTokenListeners {
  readonly #listeners = new Set<NewTokenListener>()
  readonly #watchMs: number | undefined
  readonly #look: () => Promise<unknown>
  #timer: NodeJS.Timeout | undefined

  constructor({ watchSeconds, look }: NewTokenListenersOptions) {
    this.#watchMs = watchSeconds === undefined ? undefined : watchSeconds * 1_000
    this.#look = look
  }

  /** Adds a listener; returns the function that removes it. */
  add(listener: NewTokenListener): () => void {
    // The same function may be added twice, and each is removed by itself.
    const own: NewTokenListener = (token) => listener(token)
    this.#listeners.add(own)
    this.#schedule()
    return () => {
      this.#listeners.delete(own)
      if (this.#listeners.size === 0) this.#stop()
    }
  }

  /** Calls every listener, and waits for none. One that fails affects neither the others nor the caller. */
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

  /** Starts the timer for the next look, once the last one has ended. The timer keeps no process alive. */
  #schedule(): void {
    if (this.#watchMs === undefined || this.#timer !== undefined || this.#listeners.size === 0) return
    const timer = setTimeout(async () => {
      // A failed look is made again next time; programs that call are told of it by their own calls.
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
    // Without the listener's own message, which may contain the token it was given.
    const kind = error instanceof Error ? error.name : typeof error
    process.emitWarning(`a listener for new tokens of ${token.account} failed: ${kind}`, 'TokenkeeperWarning')
  }
}
