import type { AccountSettings, GrantKind } from '../../model/account-state.ts'
import type { SessionModel } from '../../model/expiry/session-model.ts'
import type { Secret } from '../../model/secret.ts'
import type { SecretName } from '../../model/secret-name.ts'
import type { BrokerApi, RefusalRule } from './broker-api.ts'
import type { BrokerContext, Hosts, LoginBudget, Proof, Renewal } from './broker-context.ts'
import type { GuideNames } from './guide-names.ts'
import type { Login } from './login.ts'

/**
 * What the domain knows of a broker: how its tokens die, which grants bring one back, and how to prove one.
 * An adapter is a literal of this shape in lib/brokers; it speaks the broker's protocol and decides nothing else.
 */
export interface Broker {
  readonly id: string
  readonly displayName: string
  /** Origins of the broker's hosts, replaceable by `TOKENKEEPER_HOST_<NAME>`; absent for a stored base_url. */
  readonly hosts: Hosts
  /** What `setup` asks for, in this order; at most ten names with the tokens, so that one read fetches all. */
  readonly credentials: readonly CredentialField[]
  readonly session: SessionModel
  /** Whether a newer access token ends the older one; `one` wherever that is not known for sure. */
  readonly sessions: 'one' | 'many'
  /** The ladder, best first. A grant whose `needs` are not all stored is passed over. */
  readonly grants: readonly Grant[]
  /** Set where a person can log in when no grant is left. */
  readonly login?: Login
  /**
   * Live, read-only, free to repeat. Throws GrantRejectedError for a dead token. What the broker does not tell
   * is absent (IIFL XTS names the user at login only), and what is pinned stays.
   */
  prove(context: BrokerContext, accessToken: Secret): Promise<Partial<Proof>>
  /**
   * Whether an account's interface has a call that proves a token. Where it has none, the reply to the login is the only
   * proof there is: what is in doubt is renewed, and no token is taken from elsewhere. @default - it has
   */
  readonly provable?: (settings: AccountSettings) => boolean
  /**
   * What a program sends the broker as its Authorization header, with the values of `{access_token}` and, where
   * the broker wants it, `{client_id}` filled in. @default - Bearer {access_token}
   */
  readonly authorization?: string
  /** Where programs may send the access token, and what else their calls need. @default - every host of `hosts` */
  readonly api?: BrokerApi
  /** How the broker says on any call that it does not take the access token. @default - by status 401 */
  readonly refusal?: RefusalRule
  /** Seconds between the starts of two accounts of one run. */
  readonly pacingSeconds: number
  /** Accounts worked on at the same time; 1 where the broker counts calls per address. */
  readonly concurrency: number
  readonly schedule: { readonly expressions: readonly string[]; readonly timeZone: string }
  /** When the account's tokens are needed; absent where there is no market. */
  readonly tradingSession?: TradingSession
  /** When a person is asked again for what is still open, in minutes before the market opens. @default - 60 and 30 */
  readonly remindMinutesBeforeOpen?: readonly number[]
  /** How near the open a token has to be proven once more, in minutes; at most 180. @default - 45 */
  readonly proveMinutesBeforeOpen?: number
  /** Choices of an account that only this broker knows, and what each chooses: `setup --option name=value`. */
  readonly options?: Readonly<Record<string, string>>
  /** Names of the guide this replaces, where programs and files still use them. */
  readonly guide?: GuideNames
  /** Said by `setup`, the README's table and `doctor`: undocumented endpoints, consent. */
  readonly warning?: string
}

export interface TradingSession {
  readonly timeZone: string
  /** Wall-clock HH:MM. */
  readonly opens: string
  readonly closes: string
}

export interface CredentialField {
  readonly name: SecretName
  /** How the broker calls it. */
  readonly label: string
  /** False for what may be shown while it is typed: a user id, an address. */
  readonly hidden: boolean
  readonly required: boolean
  /** Says what is wrong with a value without repeating it; `undefined` when it is fine. */
  readonly problem?: (value: string) => string | undefined
  /**
   * After how many wrong tries the broker locks the account, for what a person chose and can mistype; `never` where it
   * only makes us wait. @default - 3 for a password or PIN, none for keys the broker made
   */
  readonly lockAfter?: number | 'never'
  /** The variable of the guide this replaces, for `setup --from-env`. */
  readonly env?: readonly string[]
}

/** One way to a new access token. */
export interface Grant {
  readonly kind: GrantKind
  readonly needs: readonly SecretName[]
  /** Whether the account's settings and the hosts there are switch this grant on; on by default. */
  readonly enabled?: (settings: AccountSettings, hosts: Hosts) => boolean
  readonly budget: LoginBudget
  /**
   * How often a grant whose fate is unknown may be sent again by a later run, after the stored token was probed.
   * 0 for a rotating refresh token, whose second use can revoke the whole family; `budget` where only the login
   * budget limits it (a password that counts attempts but is not spent).
   */
  readonly repeatsAfterAmbiguity: 0 | 1 | 'budget'
  /**
   * Minutes a refusal stands where what would lift it is not stored with us, such as another service's token.
   * @default - until one of `needs` is stored again; for a refused app until the next day
   */
  readonly refusalStandsMinutes?: number
  /** Gets a new access token with one attempt. Throws the errors of lib/model/errors.ts. */
  renew(context: BrokerContext): Promise<Renewal>
}
