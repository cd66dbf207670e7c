import type { GlobalOptions } from '../backend/setting.ts'

export interface ServeOptions extends GlobalOptions {
  /** @default - that of the site's address where it is this machine, else 8787 */
  readonly port?: number
  /** Simulated minutes in one second. */
  readonly speed: number
  /** The simulated world although accounts are set up, or never. @default - where no account is set up */
  readonly demo?: boolean
}
