import { createHash, randomBytes } from 'node:crypto'
import type { Context } from 'hono'
import { getCookie, setCookie } from 'hono/cookie'
import type { Clock } from '../ports/clock.ts'
import type { BrowserBinding } from '../ports/login-service.ts'
import { isSignature, type SigningKey, type SigningKeys, signature } from './signing-keys.ts'

const NAME = 'tokenkeeper'
/** As long as a link: who opened the page in the morning may look at a receipt at night. */
const COOKIE_HOURS = 24
const RANDOM_BYTES = 16
/** Random value, epoch seconds until which it holds, key id, HMAC. */
const COOKIE = /^([A-Za-z0-9_-]{22})\.(\d{10,11})\.([A-Za-z0-9_-]{1,32})\.([A-Za-z0-9_-]{43})$/

/** The buttons; a form's token is good for one of them and one account. */
export type Action = 'start' | 'approve' | 'paste' | 'prove'

/** A browser that has opened the login page with a valid link, or on this machine. */
export interface SiteSession {
  /** What logins are bound to: it tells nobody the cookie. */
  readonly binding: BrowserBinding
  /** What a form of this browser carries to prove that it comes from our page. */
  formToken(account: string, action: Action): string
  isFormToken(account: string, action: Action, given: string): boolean
}

export interface SiteSessions {
  /** Whose request this is; `undefined` without a valid cookie. Throws TokenVaultError. */
  of(context: Context): Promise<SiteSession | undefined>
  /**
   * Gives the browser a cookie, or its old one a longer life: logins under way stay its own. `undefined` where there
   * is no key to sign with. Throws TokenVaultError.
   */
  admit(context: Context): Promise<SiteSession | undefined>
}

export interface SiteSessionOptions {
  readonly keys: SigningKeys
  readonly clock: Clock
  /** Whether the site is served over https. */
  readonly secure: boolean
}

/** Browsers told apart by a signed random cookie, out of reach of scripts and of other sites. */
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
      // Its old key as long as that is on record: forms in its other tabs were signed with it.
      const key = known?.key ?? (await keys.current())
      if (!key) return undefined
      const random = known?.random ?? randomBytes(RANDOM_BYTES).toString('base64url')
      const maxAge = COOKIE_HOURS * 3600
      const signed = `${random}.${seconds() + maxAge}`
      setCookie(context, NAME, `${signed}.${key.id}.${signature(key, 'cookie', signed)}`, {
        httpOnly: true,
        path: '/',
        maxAge,
        // Lax: the broker's redirect back comes from another site.
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
