/** A user of the simulated IIFL with an app of their own. */
export interface IiflUser {
  readonly clientId: string
  readonly name: string
  readonly password: string
  /** Base32. */
  readonly totpSecret: string
  readonly appKey: string
  readonly appSecret: string
}

/** What can differ or go wrong; tests set it, the newcomer's tour leaves it alone. */
export interface IiflBehaviour {
  /** Where a step's fields stand in its reply. */
  resultShape: 'object' | 'array' | 'top'
  keyShape: 'cPubKey' | 'seData'
  sessionShape: 'userSession' | 'object' | 'array' | 'accessToken'
  /** Variant B encrypts its replies; its errors have been seen both ways. */
  encryptsErrors: boolean
  /** `message`: status Not_Ok, and the code only in the text. */
  codeIn: 'status' | 'message'
  /** The HTTP status of failures, which IIFL does not document. */
  failureStatus: 200 | 400 | 401 | 500
  /** An exchanged key is refused after this age. */
  keyLifeSeconds: number
  /** An exchanged key is refused before this age. */
  keySettleSeconds: number
  /** The life of the token between the steps of a login. */
  stepTokenLifeSeconds: number
  /** Wrong passwords until the user is blocked. */
  lockAfterPasswords: number
  /** Wrong one-time codes until the user has to wait 15 minutes. */
  lockAfterCodes: number
  /** A login so soon after another is refused. */
  codeGapSeconds: number
  /** Whether the user has pressed Authorize for the app. */
  authorized: boolean
  sessionHasExp: boolean
  /** When sessions die. */
  death: { readonly at: string; readonly timeZone: string; readonly day: 'first' | 'next' }
  /** A new login ends the older session. */
  singleLiveSession: boolean
  deadSession: 'EC044' | 'EC075' | 'HTTP 401' | 'Not_Ok'
  /** Names of the callback's parameters. */
  callback: { readonly code: 'authCode' | 'authcode' | 'code'; readonly clientId: 'clientId' | 'clientid' }
  /** Whoever opens the login page is this client already: redirects at once. @default - the page asks */
  automaticLogin?: string
  /** Every login comes back with this client's code: the wrong-account test. */
  loginAs?: string
  /** The session claims to be this client's: the wrong-account test. */
  claimedClientId?: string
  /** The profile is this client's: the wrong-account test. */
  profileClientId?: string
}

export function iiflBehaviour(): IiflBehaviour {
  return {
    resultShape: 'object',
    keyShape: 'cPubKey',
    sessionShape: 'userSession',
    encryptsErrors: false,
    codeIn: 'status',
    failureStatus: 200,
    keyLifeSeconds: 300,
    keySettleSeconds: 0,
    stepTokenLifeSeconds: 300,
    lockAfterPasswords: 3,
    lockAfterCodes: 3,
    codeGapSeconds: 60,
    authorized: true,
    sessionHasExp: true,
    death: { at: '06:00', timeZone: 'Asia/Kolkata', day: 'next' },
    singleLiveSession: true,
    deadSession: 'EC044',
    callback: { code: 'authCode', clientId: 'clientId' },
  }
}
