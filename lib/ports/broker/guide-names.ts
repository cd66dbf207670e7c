import type { SecretName } from '../../model/secrets/secret-name.ts'

/**
 * Names that the guide which Tokenkeeper replaces gave to things of a broker, so that programs built with it
 * keep working. The variables of credentials stand beside each credential.
 */
export interface GuideNames {
  /** How a request that does not name the broker calls an account. @default - by its whole id alone */
  readonly accountsCalledBy?: 'name' | 'user_id'
  /**
   * The variable that lists account names, separated by commas; these accounts are registered by themselves.
   */
  readonly accountsVariable?: string
  /** Variables that replace a host, by the host's name, beside `TOKENKEEPER_HOST_<NAME>`. */
  readonly hostVariables?: Readonly<Record<string, string>>
  /** Keys of the guide's JSON file by what they hold, for `setup --from-config`. */
  readonly configKeys?: Readonly<Partial<Record<SecretName, string>>>
  /** The Redis key of what is known of a token. @default - <broker>_token_info */
  readonly redisInfoKey?: string
}
