import { type Stats, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { StoreAwayError, type StoreFault, storeFault } from './store-fault.ts'

/** What a store that is only read takes for granted: that nobody writes to it. */
const IMMUTABLE = '?immutable=1'

/** A store of this machine that knows where it lies. */
export class LocalDatabase extends DatabaseSync {
  /** Why it can only be read; `undefined` where it can be written. */
  unwritable: StoreFault | undefined
  readonly #path: string
  readonly #immutable: boolean
  readonly #opened: Stats | undefined

  /** With `immutable` it is read as it lies there, which takes no room and no right to write. */
  constructor(path: string, { immutable = false } = {}) {
    super(immutable ? new URL(pathToFileURL(path).href + IMMUTABLE) : path, { readOnly: immutable })
    this.#path = path
    this.#immutable = immutable
    this.#opened = path === ':memory:' ? undefined : statSync(path)
  }

  /**
   * Works with the store while it is where it was opened: a file that was taken away can be written for ever, and
   * nobody ever reads that again. Throws what `work` throws, and an error that {@link faultOf} has words for.
   */
  use<T>(work: () => T): T {
    this.#assertInPlace()
    return work()
  }

  /** The true cause of an error, in words; `undefined` for what is no fault of store or disk. */
  faultOf(error: unknown): StoreFault | undefined {
    return this.#opened && storeFault(error, this.#path)
  }

  #assertInPlace(): void {
    const opened = this.#opened
    if (!opened) return
    const fix = 'bring it back, and start this program again'
    const present = statSync(this.#path, { throwIfNoEntry: false })
    if (!present) throw new StoreAwayError({ says: `${this.#path} was taken away while it was in use`, fix })
    if (present.ino !== opened.ino || present.dev !== opened.dev) {
      const says = `${this.#path} was replaced by another file while it was in use`
      throw new StoreAwayError({ says, fix: 'start this program again' })
    }
    if (this.#immutable && (present.mtimeMs !== opened.mtimeMs || hasLog(this.#path))) {
      const says = `${this.#path} was written to after it was opened to be read only`
      throw new StoreAwayError({ says, fix: 'start this program again' })
    }
  }
}

/** Whether there are writes beside the file that have not been merged into it. */
export function hasLog(path: string): boolean {
  return (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0
}
