import type { MiddlewareHandler } from 'hono'
import { secureHeaders } from 'hono/secure-headers'
import { STYLE_HASH } from './pages/style.ts'

const YEAR_S = 31_536_000
/** What no page of ours will ever ask a browser for. */
const NO_FEATURES = {
  camera: false,
  displayCapture: false,
  geolocation: false,
  microphone: false,
  payment: false,
  publickeyCredentialsGet: false,
  usb: false,
}

/**
 * The headers of every response: nothing is loaded from anywhere, framed, kept or told to the next site, and forms
 * lead to us and on to brokers.
 *
 * Browsers hold the whole chain of redirects after a form against `form-action`, and brokers redirect on to login
 * hosts that nobody documents: so any https address may follow ours, and the simulators on this machine.
 */
export function siteHeaders(options: {
  /** Whether the site is served over https. */
  readonly secure: boolean
  /** Broker hosts that replace the real ones. */
  readonly hosts: readonly string[]
}): MiddlewareHandler {
  const plain = options.hosts.filter((url) => URL.canParse(url) && new URL(url).protocol === 'http:')
  const secure = secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      styleSrc: [STYLE_HASH],
      formAction: ["'self'", 'https:', ...new Set(plain.map((url) => new URL(url).origin))],
      frameAncestors: ["'none'"],
      baseUri: ["'none'"],
    },
    xFrameOptions: 'DENY',
    // Only what is ours to promise: the domain's other hosts are somebody else's.
    strictTransportSecurity: options.secure && `max-age=${YEAR_S}`,
    permissionsPolicy: NO_FEATURES,
  })
  return async (context, next) => {
    await secure(context, next)
    // A status that is a minute old misleads, and a page with somebody's accounts is nobody else's.
    context.header('cache-control', 'no-store')
  }
}
