import type { Ports } from '../../../lib/ports/ports.ts'

/** Where a process is killed: at its n-th call to the outside, before anything of it happened or after all of it did. */
export interface Cut {
  readonly call: number
  readonly when: 'before' | 'after'
}

/** Telling the time changes nothing out there: a process killed at it was killed at its next call. */
const NO_CALL: ReadonlySet<string> = new Set(['clock.now'])

/**
 * A process whose calls to the outside are numbered, and which can be killed at any of them. From then on no call of
 * it has an effect or returns, as after SIGKILL.
 *
 * What counts as a call is derived: every function that any port has, of whatever is added to the ports too.
 */
export class Process {
  /** The names of the calls so far, such as `vault.write`. */
  readonly calls: string[] = []
  /** Settles when the process is killed. */
  readonly died: Promise<void>
  /** Is told of each call before it is let through. */
  onCall: (name: string) => void = () => undefined
  readonly #cut: Cut | undefined
  #alive = true
  #reportDeath: () => void = () => undefined

  constructor(cut?: Cut) {
    this.#cut = cut
    this.died = new Promise((resolve) => {
      this.#reportDeath = resolve
    })
  }

  get isAlive(): boolean {
    return this.#alive
  }

  /** The ports as this process has them. */
  ports(ports: Ports): Ports {
    return Object.fromEntries(
      Object.entries(ports).map(([name, port]) => [name, this.#mortal(name, port)]),
    ) as unknown as Ports
  }

  #mortal(name: string, port: unknown): unknown {
    if (Array.isArray(port)) return port.map((one, index) => this.#mortal(`${name}.${index}`, one))
    if (typeof port !== 'object' || port === null) return port
    return new Proxy(port, {
      get: (target, member) => {
        const value: unknown = Reflect.get(target, member)
        if (typeof value !== 'function') return value
        const called = `${name}.${String(member)}`
        const effect = (...args: unknown[]): unknown => Reflect.apply(value, target, args)
        return NO_CALL.has(called)
          ? effect
          : (...args: unknown[]) => this.#call(called, () => effect(...args))
      },
    })
  }

  #call(name: string, effect: () => unknown): unknown {
    if (!this.#alive) return never()
    const call = this.calls.push(name)
    const isCut = call === this.#cut?.call
    if (isCut && this.#cut?.when === 'before') return this.#die()
    this.onCall(name)
    const given = effect()
    if (!(given instanceof Promise)) {
      if (isCut) return this.#die()
      return isAsyncIterable(given) ? this.#items(name, given) : given
    }
    return given.then(
      (value) => (isCut ? this.#die() : this.#alive ? value : never()),
      (error: unknown) => {
        if (isCut) return this.#die()
        if (this.#alive) throw error
        return never()
      },
    )
  }

  /** Each item of a list is a call of its own. */
  #items(name: string, items: AsyncIterable<unknown>): AsyncIterable<unknown> {
    return {
      [Symbol.asyncIterator]: () => {
        const iterator = items[Symbol.asyncIterator]()
        const next = (): Promise<IteratorResult<unknown>> =>
          this.#call(`${name}.next`, () => iterator.next()) as Promise<IteratorResult<unknown>>
        return { next }
      },
    }
  }

  #die(): unknown {
    this.#alive = false
    this.#reportDeath()
    return never()
  }
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}

/** What a killed process gets: an answer, or a list, that never comes. */
function never(): unknown {
  const silence = new Promise<never>(() => undefined)
  return Object.assign(silence, { [Symbol.asyncIterator]: () => ({ next: () => silence }) })
}
