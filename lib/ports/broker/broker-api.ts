/** What programs need for their own calls to a broker's API, beside the header in `Broker.authorization`. */
export interface BrokerApi {
  /**
   * Names of `Broker.hosts` to which the access token may be sent; a bare path is added to the first one.
   * Login hosts and token services are not among them.
   */
  readonly hosts: readonly string[]
  /** Further origins of the broker to which it may be sent. */
  readonly origins?: readonly string[]
  /** Headers of every call; a caller's own headers count more. */
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * How a broker says, on any call, that it refuses the access token. Looks at the body before the status where
 * the broker's errors require it. A reply that objects to the call but not to its token is no refusal.
 */
export interface RefusalRule {
  /**
   * Statuses under which the body has to be looked at; `any` where errors come under every status, 200 too.
   * @default - the status alone says it
   */
  readonly saidInBodyOf?: 'any' | readonly number[]
  /**
   * Whether a reply refuses the token. `body` is parsed JSON; `undefined` where it was not read or is no
   * JSON.
   */
  isRefusal(reply: RepliedWith, body: unknown): boolean
}

/** What is known of a reply before its body is read. */
interface RepliedWith {
  readonly status: number
  /** The first value of a header, its name in lower case. */
  header(name: string): string | undefined
}
