import { Readable } from 'node:stream'
import * as consumers from 'node:stream/consumers'
import type { ReadableStream } from 'node:stream/web'
import type { RawHeaders, ReplyHead } from './reply-head.ts'

/** Statuses whose replies have no body (Fetch standard, "null body status"). */
const WITHOUT_BODY: ReadonlySet<number> = new Set([101, 103, 204, 205, 304])

export interface ReplyParts {
  readonly head: ReplyHead
  readonly statusText: string
  readonly body: Readable
  readonly url: URL
  readonly redirected: boolean
}

/** The methods of undici's bodies, which cost less than reading a general stream. */
interface QuickBody {
  text(): Promise<string>
  json(): Promise<unknown>
  arrayBuffer(): Promise<ArrayBuffer>
}

/**
 * A `Response` of the Fetch standard that costs little: status and the usual ways to read the body go
 * straight to undici; only `headers`, `body`, `blob`, `formData` and `clone` make a real one.
 */
export class Reply implements Response {
  readonly status: number
  readonly statusText: string
  readonly redirected: boolean
  readonly type = 'basic'
  readonly #url: URL
  readonly #rawHeaders: RawHeaders
  readonly #stream: Readable
  #headers: Headers | undefined
  #real: Response | undefined
  #used = false

  constructor({ head, statusText, body, url, redirected }: ReplyParts) {
    this.status = head.status
    this.statusText = statusText
    this.redirected = redirected
    this.#url = url
    this.#rawHeaders = head.headers
    this.#stream = body
  }

  get url(): string {
    return this.#url.href
  }

  get ok(): boolean {
    return this.status >= 200 && this.status <= 299
  }

  get headers(): Headers {
    this.#headers ??= headersOf(this.#rawHeaders)
    return this.#headers
  }

  get bodyUsed(): boolean {
    return this.#used || (this.#real?.bodyUsed ?? false)
  }

  get body(): Response['body'] {
    return this.#asReal().body
  }

  text(): Promise<string> {
    return this.#read((real) => real.text(), quickly('text', consumers.text))
  }

  json(): Promise<unknown> {
    return this.#read((real) => real.json(), quickly('json', consumers.json))
  }

  arrayBuffer(): Promise<ArrayBuffer> {
    return this.#read((real) => real.arrayBuffer(), quickly('arrayBuffer', consumers.arrayBuffer))
  }

  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return new Uint8Array(await this.arrayBuffer())
  }

  async blob(): Promise<Blob> {
    return this.#asReal().blob()
  }

  async formData(): Promise<FormData> {
    return this.#asReal().formData()
  }

  clone(): Response {
    if (this.bodyUsed) throw new TypeError('the body of this reply was read already')
    return this.#asReal().clone()
  }

  /** The body as a Node stream, for a pipeline. Throws TypeError where the body was read already. */
  stream(): Readable {
    if (this.bodyUsed) throw new TypeError('the body of this reply was read already')
    this.#used = true
    return this.#stream
  }

  async #read<T>(
    real: (response: Response) => Promise<T>,
    quick: (body: Readable) => Promise<T>,
  ): Promise<T> {
    if (this.#real) return real(this.#real)
    if (this.#used) throw new TypeError('the body of this reply was read already')
    this.#used = true
    return quick(this.#stream)
  }

  #asReal(): Response {
    if (this.#real) return this.#real
    if (this.#used) throw new TypeError('the body of this reply was read already')
    const { status, statusText, headers } = this
    const hasBody = !WITHOUT_BODY.has(status)
    if (!hasBody) this.#stream.resume()
    const body = hasBody ? (Readable.toWeb(this.#stream) as ReadableStream<Uint8Array<ArrayBuffer>>) : null
    this.#real = new Response(body, { status, statusText, headers })
    return this.#real
  }
}

/** Lets undici read its own bodies. A body of which the beginning was read is a general stream. */
function quickly<Name extends keyof QuickBody, T>(
  name: Name,
  general: (body: Readable) => Promise<T>,
): (body: Readable) => Promise<T> {
  return (body) => {
    const quick = (body as Partial<QuickBody>)[name] as (() => Promise<T>) | undefined
    return quick ? quick.call(body) : general(body)
  }
}

function headersOf(raw: RawHeaders): Headers {
  const headers = new Headers()
  for (const [name, value] of Object.entries(raw)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) headers.append(name, one)
  }
  return headers
}
