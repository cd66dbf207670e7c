import { BlockList } from 'node:net'
import { Agent, errors, request } from 'undici'
import { type Http, HttpError, type HttpReply, type HttpRequest } from '../ports/http.ts'

const CONNECT_TIMEOUT_MS = 5_000
/** No reply of a token endpoint comes near this; anything larger is no reply to read into memory. */
const MAX_REPLY_BYTES = 1_048_576

/** Nothing was sent: the broker cannot have seen the request. */
const NOT_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'ERR_IP_BLOCKED',
  // A header with a line break in it, such as a stored key with one at its end.
  'UND_ERR_INVALID_ARG',
])

/** Link-local addresses, where clouds keep their metadata: no broker lives there, whatever a host name resolves to. */
export const NEVER_CONNECTED = new BlockList()
NEVER_CONNECTED.addSubnet('169.254.0.0', 16, 'ipv4')
NEVER_CONNECTED.addSubnet('fe80::', 10, 'ipv6')
NEVER_CONNECTED.addAddress('fd00:ec2::254', 'ipv6')

/** HTTP to brokers over undici: one attempt, no redirects, time limits on every phase, a limit on the size. */
export function undiciHttp(): Http & { close(): Promise<void> } {
  const dispatcher = new Agent({
    connect: { timeout: CONNECT_TIMEOUT_MS, blockList: NEVER_CONNECTED },
    maxResponseSize: MAX_REPLY_BYTES,
  })
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
        return { status: reply.statusCode, headers: flat(reply.headers), body: await reply.body.text() }
      } catch (error) {
        const reason = reasonOf(error)
        throw new HttpError(reason, { sent: !NOT_SENT.has(reason), cause: error })
      }
    },
    close: () => dispatcher.close(),
  }
}

/** A constant that names the fault; never the error's message, which can hold a URL. */
function reasonOf(error: unknown): string {
  if (error instanceof errors.UndiciError) return error.code
  if (error instanceof DOMException && error.name === 'TimeoutError') return 'TIMEOUT'
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  return typeof code === 'string' ? code : 'UNKNOWN'
}

function flat(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name.toLowerCase(), Array.isArray(value) ? value.join(', ') : value]],
    ),
  )
}
