import type { MiddlewareHandler } from 'hono'
import { secureHeaders } from 'hono/secure-headers'
import { STYLE_HASH } from './pages/style.ts'

const YEAR_S = 31_536_000
/** Browser features that no page of ours uses. */
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
 * The headers of every response: nothing is loaded from elsewhere, framed, cached or told to the next site,
 * and forms lead only to us and on to brokers.
 *
 * Browsers check the whole chain of redirects after a form against `form-action`, and brokers redirect to
 * login hosts that are not documented. So any https address is allowed after ours, and the simulators on this
 * machine.
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
    // Without subdomains: the domain's other hosts are not ours.
    strictTransportSecurity: options.secure && `max-age=${YEAR_S}`,
    permissionsPolicy: NO_FEATURES,
  })
  return async (context, next) => {
    await secure(context, next)
    // A status that is a minute old misleads, and a page about somebody's accounts must not be stored for
    // others.
    context.header('cache-control', 'no-store')
  }
}
