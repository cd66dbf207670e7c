import { createHash, randomBytes } from 'node:crypto'
import type { Context } from 'hono'
import { getCookie, setCookie } from 'hono/cookie'
import type { Clock } from '../ports/clock.ts'
import type { BrowserBinding } from '../ports/login-service.ts'
import { isSignature, type SigningKey, type SigningKeys, signature } from './signing-keys.ts'

const NAME = 'tokenkeeper'
/** Hours, as for a link: a person who opened the page in the morning may look at a receipt at night. */
const COOKIE_HOURS = 24
const RANDOM_BYTES = 16
/** A random value, the epoch seconds until which it is valid, the key's id, the HMAC. */
const COOKIE = /^([A-Za-z0-9_-]{22})\.(\d{10,11})\.([A-Za-z0-9_-]{1,32})\.([A-Za-z0-9_-]{43})$/

/** The buttons. A form's token is valid for one of them and one account. */
export type Action = 'start' | 'approve' | 'paste' | 'prove'

/** A browser that has opened the login page with a valid link, or on this machine. */
export interface SiteSession {
  /** The hash to which logins are bound; the cookie cannot be worked out from it. */
  readonly binding: BrowserBinding
  /** The token in a form of this browser, which proves that the form comes from our page. */
  formToken(account: string, action: Action): string
  isFormToken(account: string, action: Action, given: string): boolean
}

export interface SiteSessions {
  /**
   * The session of a request; `undefined` without a valid cookie. Throws TokenVaultError and
   * ConfigurationError.
   */
  of(context: Context): Promise<SiteSession | undefined>
  /**
   * Gives the browser a cookie, or a longer life to the one it has, so that its logins under way stay its
   * own. `undefined` where there is no key to sign with. Throws TokenVaultError and ConfigurationError.
   */
  admit(context: Context): Promise<SiteSession | undefined>
}

export interface SiteSessionOptions {
  readonly keys: SigningKeys
  readonly clock: Clock
  /** Whether the site is served over https. */
  readonly secure: boolean
}

/** Tells browsers apart by a signed random cookie, which scripts and other sites cannot read. */
export function siteSessions({ keys, clock, secure }: SiteSessionOptions): SiteSessions {
  const seconds = (): number => Math.floor(clock.now().epochMilliseconds / 1000)

  const read = async (context: Context): Promise<{ key: SigningKey; random: string } | undefined> => {
    const [, random, until, id, sig] =
      COOKIE.exec(getCookie(context, NAME, secure ? 'host' : undefined) ?? '') ?? []
    if (!random || !until || !id || !sig || Number(until) <= seconds()) return undefined
    const key = await keys.named(id)
    return key && isSignature(key, 'cookie', `${random}.${until}`, sig) ? { key, random } : undefined
  }

  return {
    async of(context) {
      const known = await read(context)
      return known && siteSession(known.key, known.random)
    },
    async admit(context) {
      const known = await read(context)
      // The key of the old cookie is kept as long as it is stored, since forms in other tabs were signed with
      // it.
      const key = known?.key ?? (await keys.current())
      if (!key) return undefined
      const random = known?.random ?? randomBytes(RANDOM_BYTES).toString('base64url')
      const maxAge = COOKIE_HOURS * 3600
      const signed = `${random}.${seconds() + maxAge}`
      setCookie(context, NAME, `${signed}.${key.id}.${signature(key, 'cookie', signed)}`, {
        httpOnly: true,
        path: '/',
        maxAge,
        // Lax, since the broker's redirect comes from another site.
        sameSite: 'Lax',
        ...(secure && { secure, prefix: 'host' }),
      })
      return siteSession(key, random)
    },
  }
}

function siteSession(key: SigningKey, random: string): SiteSession {
  const text = (account: string, action: Action): string => JSON.stringify([random, account, action])
  return {
    binding: createHash('sha256').update(random).digest('base64url'),
    formToken: (account, action) => signature(key, 'form', text(account, action)),
    isFormToken: (account, action, given) => isSignature(key, 'form', text(account, action), given),
  }
}
