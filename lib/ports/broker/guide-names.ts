import type { SecretName } from '../../model/secret-name.ts'

/**
 * Names the guide that Tokenkeeper replaces gave to things of a broker, so that what was built by it goes on working.
 * Variables of credentials are beside each credential.
 */
export interface GuideNames {
  /** How requests call an account that do not name its broker. @default - by its whole id alone */
  readonly accountsCalledBy?: 'name' | 'user_id'
  /** The variable that lists account names with commas between them; they are registered by themselves. */
  readonly accountsVariable?: string
  /** Variables that replace a host, by the host's name, beside `TOKENKEEPER_HOST_<NAME>`. */
  readonly hostVariables?: Readonly<Record<string, string>>
  /** Keys of the guide's JSON file by what they hold, for `setup --from-config`. */
  readonly configKeys?: Readonly<Partial<Record<SecretName, string>>>
  /** The Redis key of what is known of a token. @default - <broker>_token_info */
  readonly redisInfoKey?: string
}
