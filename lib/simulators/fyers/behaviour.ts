export interface FyersUser {
  readonly fyId: string
  readonly name: string
  readonly pin: string
}

export interface FyersApp {
  /** With its suffix. */
  readonly clientId: string
  readonly secret: string
}

/** What can differ or go wrong; tests set it, the newcomer's tour leaves it alone. */
export interface FyersBehaviour {
  /** Refuses every refresh grant with this code and status, as FYERS announced for April 2026. */
  refreshWithdrawn?: { readonly code: number; readonly status: 200 | 400 | 401 }
  wrongPin: { readonly code: number; readonly lockAfter: number }
  /** Drops `s` and `code` from the login redirect. */
  bareRedirect: boolean
  /** Whoever opens the login page is this user already: redirects at once. @default - the page asks */
  automaticLogin?: string
  /** Every login comes back with this user's code: the wrong-account test. */
  loginAs?: string
  /** Puts a new refresh token into the refresh reply, which FYERS has not been seen to do. */
  rotates: boolean
  /** How the undocumented login hands out its redirect: a JSON field `Url`, or a Location header only. */
  loginRedirectBy: 'body' | 'location'
  /** Calls of all users together in a minute. */
  perMinuteLimit: number
}
