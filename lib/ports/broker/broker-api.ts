/** What a program's own calls need to know of a broker's API, beside the header in `Broker.authorization`. */
export interface BrokerApi {
  /**
   * Names of `Broker.hosts` that take the access token; the first one is what a bare path is added to. Login hosts and
   * token services never see it.
   */
  readonly hosts: readonly string[]
  /** Further origins of the broker that take it. */
  readonly origins?: readonly string[]
  /** Sent with every call unless the caller says otherwise. */
  readonly headers?: Readonly<Record<string, string>>
}

/**
 * How a broker says on any call that it does not take the access token. Body before status where the broker wants it so;
 * what speaks against a call but not against its token is none of it.
 */
export interface RefusalRule {
  /**
   * Statuses under which the body may say it; `any` where errors come under every status, 200 too. @default - the
   * status alone says it
   */
  readonly saidInBodyOf?: 'any' | readonly number[]
  /** `body` is parsed JSON; `undefined` where it was not looked at or is none. */
  isRefusal(reply: RepliedWith, body: unknown): boolean
}

/** What is known of a reply before its body is read. */
interface RepliedWith {
  readonly status: number
  /** The first value of a header, its name in lower case. */
  header(name: string): string | undefined
}
