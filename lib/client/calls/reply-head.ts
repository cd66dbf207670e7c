import { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'

/** Headers as undici gives them, names in lower case. */
export type RawHeaders = Dispatcher.ResponseData['headers']

/** What is known of a reply before its body is read. Parsed only when asked for. */
export class ReplyHead {
  readonly status: number
  readonly headers: RawHeaders

  constructor(status: number, headers: RawHeaders) {
    this.status = status
    this.headers = headers
  }

  get isJson(): boolean {
    return /^application\/(?:[\w.+-]+\+)?json\b/i.test(this.header('content-type') ?? '')
  }

  get contentLength(): number | undefined {
    const length = this.header('content-length')
    return length !== undefined && /^\d+$/.test(length) ? Number(length) : undefined
  }

  header(name: string): string | undefined {
    const value = this.headers[name]
    return Array.isArray(value) ? value[0] : value
  }
}

/** The beginning of a body, and the body to be read from its start. */
interface Peeked {
  /** The whole body where it is not longer than the limit; else `undefined`. */
  readonly bytes: Buffer | undefined
  readonly body: Readable
}

/**
 * Reads at most a little more than `limitBytes`, so that a short body can be examined and a long one is still
 * streamed.
 */
export async function peeked(body: Readable, limitBytes: number): Promise<Peeked> {
  const chunks: Buffer[] = []
  let size = 0
  const rest = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  while (size <= limitBytes) {
    const { done, value } = await rest.next()
    if (done) {
      const bytes = Buffer.concat(chunks)
      return { bytes, body: Readable.from([bytes], { objectMode: false }) }
    }
    chunks.push(value)
    size += value.length
  }
  const again = async function* (): AsyncGenerator<Buffer> {
    try {
      yield* chunks
      for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value
    } finally {
      // When the reader stops early, the connection is dropped too.
      body.destroy()
    }
  }
  return { bytes: undefined, body: Readable.from(again(), { objectMode: false }) }
}
