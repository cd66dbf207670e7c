import { type Stats, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { StoreAwayError, type StoreFault, storeFault } from './store-fault.ts'

/** SQLite's option for a file to which nobody writes. */
const IMMUTABLE = '?immutable=1'

/** A SQLite store that knows its own path, and notices when its file is taken away. */
export class LocalDatabase extends DatabaseSync {
  /** Why the store can only be read; `undefined` where it can be written. */
  unwritable: StoreFault | undefined
  readonly #path: string
  readonly #immutable: boolean
  readonly #opened: Stats | undefined

  /** `immutable` opens the file as it is, which needs no free disk space and no right to write. */
  constructor(path: string, { immutable = false } = {}) {
    super(immutable ? new URL(pathToFileURL(path).href + IMMUTABLE) : path, { readOnly: immutable })
    this.#path = path
    this.#immutable = immutable
    this.#opened = path === ':memory:' ? undefined : statSync(path)
  }

  /**
   * Runs `work` after checking that the store's file is still in its place: a file that was removed can still
   * be written, but nobody would ever read that. Throws what `work` throws, and an error that {@link faultOf}
   * can explain.
   */
  use<T>(work: () => T): T {
    this.#assertInPlace()
    return work()
  }

  /** The cause of an error in words; `undefined` where neither the store nor the disk is at fault. */
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

/** Whether the log beside the file has writes that were not merged into it yet. */
export function hasLog(path: string): boolean {
  return (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0
}
