import type { Temporal } from 'temporal-polyfill'
import type { AccountSettings, GrantKind } from '../../model/account-state.ts'
import type { SessionModel } from '../../model/expiry/session-model.ts'
import type { MarketName } from '../../model/market-name.ts'
import type { Secret } from '../../model/secrets/secret.ts'
import type { SecretName } from '../../model/secrets/secret-name.ts'
import type { BrokerApi, RefusalRule } from './broker-api.ts'
import type { BrokerContext, Hosts, LoginBudget, Proof, Renewal } from './broker-context.ts'
import type { GuideNames } from './guide-names.ts'
import type { Login } from './login.ts'

/**
 * What the domain knows of a broker: how its tokens die, which grants bring a new one, and how to prove one.
 * An adapter in lib/brokers is a literal of this shape; it speaks the broker's protocol and decides nothing
 * else.
 */
export interface Broker {
  readonly id: string
  readonly displayName: string
  /**
   * Origins of the broker's hosts, which `TOKENKEEPER_HOST_<NAME>` overrides; absent where a stored base_url
   * names the host.
   */
  readonly hosts: Hosts
  /**
   * What `setup` asks for, in this order. With the tokens at most ten names, so that one read fetches all of
   * them.
   */
  readonly credentials: readonly CredentialField[]
  readonly session: SessionModel
  /** Whether several access tokens may live side by side. `one` also where that is not known for sure. */
  readonly sessions: 'one' | 'many'
  /** The ladder, best first. A grant whose `needs` are not all stored is passed over. */
  readonly grants: readonly Grant[]
  /** How a person helps when no grant is left; absent where nobody can. */
  readonly login?: Login
  /**
   * Proves an access token by a live, read-only call, which may be repeated. Throws GrantRejectedError for a
   * dead token. What the broker does not tell is absent (IIFL XTS names the user at login only); the pinned
   * user id stays then.
   */
  prove(context: BrokerContext, accessToken: Secret): Promise<Partial<Proof>>
  /**
   * Whether an account's interface has a call that proves a token. Where it has none, only the reply to a
   * login proves one: a token in doubt is renewed, and none is adopted. @default - it has one
   */
  readonly provable?: (settings: AccountSettings) => boolean
  /**
   * The Authorization header of a program's calls, with `{access_token}` and, where needed, `{client_id}` to
   * be filled in. @default - Bearer {access_token}
   */
  readonly authorization?: string
  /** Where programs may send the access token, and what else their calls need. @default - every host of `hosts` */
  readonly api?: BrokerApi
  /** How the broker says, on any call, that it refuses the access token. @default - by status 401 */
  readonly refusal?: RefusalRule
  /** Seconds between the starts of two accounts of one run. */
  readonly pacingSeconds: number
  /** Accounts worked on at the same time; 1 where the broker counts calls per address. */
  readonly concurrency: number
  readonly schedule: { readonly expressions: readonly string[]; readonly timeZone: string }
  /** When the tokens are needed, where an account does not name its own markets; absent where there is no market. */
  readonly tradingSession?: TradingSession
  /**
   * When a person is reminded of an open incident, in minutes before the market opens. @default - 60 and 30
   */
  readonly remindMinutesBeforeOpen?: readonly number[]
  /** How many minutes before the open a token is proven once more; at most 180. @default - 45 */
  readonly proveMinutesBeforeOpen?: number
  /** Options that only this broker's accounts have, and what each chooses: `setup --option name=value`. */
  readonly options?: Readonly<Record<string, string>>
  /** Names from the guide that Tokenkeeper replaces, where programs and files still use them. */
  readonly guide?: GuideNames
  /** A warning shown by `setup`, the README's table and `doctor`: undocumented endpoints, consent. */
  readonly warning?: string
}

/** The sessions of the markets an account trades on, day by day: lib/markets/session.ts. */
export interface TradingSession {
  /** By their names; empty for a session that is of no known market. */
  readonly markets: readonly MarketName[]
  /** On whose calendar dates are, and on whose clocks times are told. */
  readonly timeZone: string
  /** From the earliest open to the latest close; `undefined` on a day without a session. */
  on(date: Temporal.PlainDate): SessionOfDay | undefined
  /**
   * The same, as if no weekday were closed or short: a renewal or a proof that needs nobody is not left out because of what
   * may be a mistake in a calendar.
   */
  atMost(date: Temporal.PlainDate): SessionOfDay | undefined
  /** The sessions of other markets, such as an account names; `undefined` where none is named. */
  of(markets: readonly string[]): TradingSession | undefined
}

export interface SessionOfDay {
  readonly opens: Temporal.Instant
  readonly closes: Temporal.Instant
}

/** One value that `setup` asks for and stores. */
export interface CredentialField {
  readonly name: SecretName
  /** The broker's own word for it. */
  readonly label: string
  /** False where the value may be shown while it is typed: a user id, an address. */
  readonly hidden: boolean
  readonly required: boolean
  /** What is wrong with a value, without repeating it; `undefined` where it is fine. */
  readonly problem?: (value: string) => string | undefined
  /**
   * After how many wrong tries the broker locks the account, for a secret that a person chose and can
   * mistype; `never` where the broker only makes us wait. @default - 3 for a password or PIN, none for keys
   * the broker made
   */
  readonly lockAfter?: number | 'never'
  /** The variables of the guide that Tokenkeeper replaces, for `setup --from-env`. */
  readonly env?: readonly string[]
}

/** One way to a new access token that needs no person. */
export interface Grant {
  readonly kind: GrantKind
  readonly needs: readonly SecretName[]
  /** Whether the account's settings and the known hosts switch this grant on. @default - it is on */
  readonly enabled?: (settings: AccountSettings, hosts: Hosts) => boolean
  readonly budget: LoginBudget
  /**
   * How often a later run may send a grant again whose fate is unknown, after it has probed the stored token.
   * 0 for a rotating refresh token, whose second use can revoke the whole family; `budget` where only the
   * login budget limits it (a password, which is counted but not spent).
   */
  readonly repeatsAfterAmbiguity: 0 | 1 | 'budget'
  /**
   * Minutes that a refusal stands, where what would lift it is not stored here, such as another service's
   * token. @default - until one of `needs` is stored again; for a refused app until the next day
   */
  readonly refusalStandsMinutes?: number
  /** Gets a new access token with one attempt. Throws the errors of lib/model/errors.ts. */
  renew(context: BrokerContext): Promise<Renewal>
}
