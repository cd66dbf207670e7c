/** The names of stored secrets, the same for every broker. Consumers read `access_token` and `session`. */
export const SECRET_NAMES = [
  'client_id',
  'client_secret',
  'redirect_uri',
  'user_id',
  'password',
  'pin',
  'totp_secret',
  'email',
  'base_url',
  'vendor_id',
  'refresh_token',
  'access_token',
  'session',
  // A token that was minted and not proven yet; no consumer may read it.
  'pending',
  // Not a broker's: our own key for links, cookies and forms.
  'signing_key',
  // The password of the Redis mirror.
  'redis_password',
] as const

export type SecretName = (typeof SECRET_NAMES)[number]
