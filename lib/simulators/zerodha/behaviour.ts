export interface ZerodhaApp {
  readonly apiKey: string
  readonly secret: string
  /** Where every login ends; the app's owner may register another one. */
  redirectUrl: string
}

/** What can differ or go wrong; tests set it, the newcomer's tour leaves it alone. */
export interface ZerodhaBehaviour {
  /** This user is logged in at once and no page is shown: for clients that only speak HTTP. */
  automaticLogin?: string
  /** A second login ends the user's first session, which nobody has documented. */
  secondLoginEndsFirst: boolean
  requestTokenLifeSeconds: number
  /** The app belongs to a platform with long-standing access, and how its refresh tokens behave. */
  approvedPlatform?: 'rotating' | 'static'
  /** Addresses that may place orders; reads work from anywhere. */
  orderAddresses?: readonly string[]
}
