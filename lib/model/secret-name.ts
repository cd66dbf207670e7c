/** The names secrets are stored under, the same for every broker. Consumers read `access_token` and `session`. */
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
  // Minted and not proven yet; no consumer may read it.
  'pending',
  // Ours, not a broker's: what signs links, cookies and forms.
  'signing_key',
  // Of the Redis that mirrors what is published.
  'redis_password',
] as const

export type SecretName = (typeof SECRET_NAMES)[number]
