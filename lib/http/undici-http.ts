import type { Readable } from 'node:stream'
import { request } from 'undici'
import { type Http, HttpError, type HttpReply, type HttpRequest } from '../ports/http.ts'
import { decoded } from './decoded.ts'
import { Egress } from './egress.ts'
import { networkFault } from './network-fault.ts'
import type { ProxySettings } from './proxy-settings.ts'

/** No reply of a token endpoint comes near this; anything larger is no reply to read into memory. */
const MAX_REPLY_BYTES = 1_048_576

/**
 * HTTP to brokers over undici: one attempt, no redirects, time limits on every phase, a limit on the size.
 *
 * @default proxy - that of the program's environment. Throws ConfigurationError where that is none.
 */
export function undiciHttp(proxy?: ProxySettings): Http & { close(): Promise<void> } {
  const dispatcher = new Egress({ maxResponseSize: MAX_REPLY_BYTES }, proxy)
  return {
    async send(call: HttpRequest): Promise<HttpReply> {
      try {
        const reply = await request(call.url, {
          dispatcher,
          method: call.method,
          headers: { ...call.headers },
          ...(call.body !== undefined && { body: call.body }),
          signal: AbortSignal.timeout(Math.max(1, Math.ceil(call.timeoutMs))),
        })
        const body = await textOf(decoded(reply.body, reply.headers['content-encoding']))
        return { status: reply.statusCode, headers: flat(reply.headers), body }
      } catch (error) {
        if (error instanceof HttpError) throw error
        const { reason, ...fault } = networkFault(error)
        throw new HttpError(reason, { ...fault, cause: error })
      }
    },
    close: () => dispatcher.close(),
  }
}

/** A few packed bytes can become gigabytes: reading ends where no reply is so long. */
async function textOf(body: Readable): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_REPLY_BYTES) throw new HttpError('UND_ERR_RES_EXCEEDED_MAX_SIZE', { sent: true })
    chunks.push(chunk)
  }
  return new TextDecoder().decode(Buffer.concat(chunks))
}

function flat(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name.toLowerCase(), Array.isArray(value) ? value.join(', ') : value]],
    ),
  )
}
