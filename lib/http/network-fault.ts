import { errors } from 'undici'

/** Why a call has no usable reply. */
export interface NetworkFault {
  /** A constant that names the fault; never the error's message, which can hold a URL. */
  readonly reason: string
  /** Whether the other side may have seen the call. */
  readonly sent: boolean
  /** What helps, where that is more than waiting. */
  readonly fix?: string
}

/** In front of the constant of a fault on the way to the proxy. */
export const PROXY = 'PROXY_'

/** Nothing was sent: the other side cannot have seen the call. */
const NOT_SENT: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'ERR_IP_BLOCKED',
  // A header with a line break in it, such as a stored key with one at its end.
  'UND_ERR_INVALID_ARG',
  // The connection to a proxy ended before it led anywhere.
  'UND_ERR_PRX_CONN',
  'UND_ERR_PRX_TLS',
])

/** Certificates of an authority this process does not know, as behind a proxy that reads along (Node, "X509 codes"). */
const UNKNOWN_AUTHORITY: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_UNTRUSTED',
])

/** Other certificates that do not hold. */
const BAD_CERTIFICATE: ReadonlySet<string> = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_CHAIN_TOO_LONG',
  'CERT_REVOKED',
  'CERT_REJECTED',
  'CERT_SIGNATURE_FAILURE',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'HOSTNAME_MISMATCH',
])

const TRUST =
  'if that authority is your own, start the process with its certificate: NODE_EXTRA_CA_CERTS=/path/to/ca.pem'
const CHECK_PROXY = 'check HTTPS_PROXY, or name the host in NO_PROXY'

/** undici's only word for a proxy that declines to connect. */
const DECLINED = /^Proxy response \((\d{3})\)/

/** What an error of undici or Node means. */
export function networkFault(error: unknown): NetworkFault {
  const reason = reasonOf(error)
  const atProxy = reason.startsWith(PROXY) || reason.startsWith('UND_ERR_PRX_')
  const code = reason.startsWith(PROXY) ? reason.slice(PROXY.length) : reason
  const fix = UNKNOWN_AUTHORITY.has(code) ? TRUST : atProxy ? CHECK_PROXY : undefined
  const sent = !(atProxy || NOT_SENT.has(code) || UNKNOWN_AUTHORITY.has(code) || BAD_CERTIFICATE.has(code))
  return { reason, sent, ...(fix && { fix }) }
}

function reasonOf(error: unknown): string {
  if (error instanceof errors.RequestAbortedError) {
    const [, status] = DECLINED.exec(error.message) ?? []
    return status === undefined ? error.code : `${PROXY}ANSWERED_${status}`
  }
  if (error instanceof errors.UndiciError) return error.code
  if (error instanceof DOMException && error.name === 'TimeoutError') return 'TIMEOUT'
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  return typeof code === 'string' ? code : 'UNKNOWN'
}
