import { inspect } from 'node:util'

/** One request to a broker. Header values and bodies may hold secrets, so a request is never logged. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Milliseconds for the whole exchange, connection included. */
  readonly timeoutMs: number
}

/** A reply with its whole body, whatever its status. */
export interface HttpReply {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** There was no usable HTTP reply. `sent: false` means that the broker cannot have seen the request. */
export class HttpError extends Error {
  readonly sent: boolean
  /** A short constant such as ECONNREFUSED or UND_ERR_HEADERS_TIMEOUT. */
  readonly reason: string
  /** What helps, where that is more than trying again. */
  readonly fix: string | undefined

  constructor(
    reason: string,
    details: { readonly sent: boolean; readonly fix?: string; readonly cause?: unknown },
  ) {
    super(details.sent ? `no usable reply (${reason})` : `could not connect (${reason})`)
    this.name = 'HttpError'
    this.sent = details.sent
    this.reason = reason
    this.fix = details.fix
    if (details.cause !== undefined) {
      Object.defineProperty(this, 'cause', { value: details.cause, enumerable: false })
    }
  }

  /** The cause can name URLs and headers, so it is left out of every dump; a debugger still finds it. */
  [inspect.custom](): string {
    return this.stack ?? this.message
  }
}

export interface Http {
  /** Sends once; never follows a redirect, never repeats. Throws {@link HttpError}. */
  send(request: HttpRequest): Promise<HttpReply>
}
