export interface UpstoxApp {
  readonly clientId: string
  readonly secret: string
  readonly redirectUri: string
  /** Where approvals are posted; set in the app's form. */
  readonly notifierUrl?: string
}

/** What can differ or go wrong; tests set it, the newcomer's tour leaves it alone. */
export interface UpstoxBehaviour {
  /** Status of UDAPI100057, 100069 and 100070, which the docs leave open. */
  grantErrorStatus: number
  /** Adds the fields only some versions of the docs have. */
  extraFields: boolean
  /** The order-side complaint about a good token, or an address that is not registered. */
  orders: 'accepted' | 'token_refused' | 'address_refused'
  /** A newer token ends the older one of the same user. */
  singleLiveToken: boolean
  /** Whoever opens the dialog is this user already: redirects at once. @default - the page asks */
  automaticLogin?: string
  /** Every login comes back with this user's code: the wrong-account test. */
  loginAs?: string
  /** The profile names this user whatever the token says. */
  profileOf?: string
  /** The profile answers with this error instead. */
  profileError?: { readonly status: number; readonly code: string }
}
