import { z } from '@hono/zod-openapi'
import { PROBLEM_CODES } from '../problem.ts'

/**
 * The schemas of replies and bodies. Requests are checked by them, and the document is made from them. Those
 * of renewals are in refresh-schemas.ts.
 */

export const Time = z.string().openapi({ format: 'date-time', example: '2026-11-24T03:30:00+05:30' })
const Unproven = Time.nullable().openapi({
  description:
    'Since when something may have ended the token that the broker was not asked about; a refresh asks. Else null',
})
export const Account = z.string().openapi({ description: 'The whole account id', example: 'upstox/ACC1' })
const AccountId = z.string().openapi({ description: 'The account’s name, or its broker’s', example: 'ACC1' })

export const Problem = z
  .object({
    type: z.string().openapi({ example: 'urn:tokenkeeper:problem:insufficient_scope' }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string().openapi({ description: 'The request id, as in X-Request-Id' }),
    code: z.enum(PROBLEM_CODES),
    fix: z.string().optional().openapi({ description: 'What whoever can help should do' }),
    errors: z
      .array(z.object({ field: z.string(), message: z.string() }))
      .optional()
      .openapi({ description: 'Fields of the body that are wrong' }),
  })
  .openapi('Problem', { description: 'What went wrong (RFC 9457)' })

export const Health = z
  .object({
    status: z.literal('ok'),
    tokens: z.enum(['available', 'partial', 'unavailable', 'none']),
    accounts: z.object({
      total: z.int(),
      live: z.int(),
      expired: z.int(),
      unproven: z.int(),
      missing: z.int(),
      awaiting_login: z.int(),
    }),
    version: z.string(),
    time: Time,
  })
  .openapi('Health')

const LastError = z.object({ at: Time, code: z.string(), reason: z.string(), fix: z.string().nullable() })

export const Status = z
  .object({
    account_id: AccountId,
    account: Account,
    state: z
      .enum([
        'fresh',
        'refreshed',
        'awaiting_login',
        'ambiguous',
        'paused',
        'skipped',
        'failed',
        'expired',
        'missing',
        'unproven',
      ])
      .openapi({ description: 'How the last run left the account' }),
    live: z.boolean().openapi({
      description: 'Whether there is a token that was proven, and nothing speaks against it since',
    }),
    unproven_since: Unproven,
    summary: z.string(),
    expires_at: Time.nullable(),
    expires_in: z.int().nullable().openapi({ description: 'Seconds' }),
    expiry_decided_by: z.string().nullable(),
    issued_at: Time.nullable(),
    last_validated_at: Time.nullable(),
    source: z.string().nullable(),
    generation: z.int().openapi({ description: 'Counts the account’s published access tokens' }),
    fingerprint: z.string().nullable().openapi({
      description: 'The first 16 hex digits of its SHA-256; null in a list of more than 20 accounts',
    }),
    next_action: z.string(),
    login_helps_from: Time.nullable().openapi({
      description: 'Set where only a login brings a token, and one made earlier would be dead at the open',
    }),
    last_error: LastError.nullable(),
  })
  .openapi('Status')

export const StatusOfAll = Status.extend({
  accounts: z.array(Status).optional().openapi({ description: 'All accounts, where there are several' }),
}).openapi('StatusOfAll')

export const ValidationSchema = z
  .object({
    account_id: AccountId,
    account: Account,
    valid: z.boolean(),
    checked_at: Time.openapi({ description: 'When the broker was asked; at most a minute ago' }),
    user_id: z.string().nullable(),
    error: z
      .object({ code: z.string(), reason: z.string(), fix: z.string() })
      .nullable()
      .openapi({ description: 'Why the token is not valid' }),
  })
  .openapi('Validation')

export const Update = z
  .object({
    access_token: z
      .string()
      .regex(/^[\x21-\x7e]{8,8192}$/, '8 to 8192 printable characters without a space')
      .openapi({ example: 'SIMULATED.access.token' }),
    expires_at: z
      .union([z.string().max(40), z.number()])
      .optional()
      .openapi({
        description:
          'ISO 8601 with an offset or on the clocks of the account’s zone, or epoch seconds or milliseconds. The ' +
          'earlier of this and of what the broker’s rules say counts.',
        example: '2026-11-24T03:30:00+05:30',
      }),
    account_id: z
      .string()
      .max(100)
      .optional()
      .openapi({ description: 'Must be the account of the path, if both are given' }),
    force: z.boolean().optional().openapi({
      description: 'Replace a token that lives longer; needs the scope admin as well',
    }),
  })
  .openapi('Update')

export const Updated = z
  .object({
    account_id: AccountId,
    account: Account,
    stored: z.literal(true),
    expires_at: Time.nullable(),
    fingerprint: z.string(),
    generation: z.int(),
    user_id: z.string().nullable(),
    covers_session: z.boolean().nullable().openapi({
      description: 'Whether it lasts through the session that is on, or the next one; null without a market',
    }),
  })
  .openapi('Updated')

export const TokenFields = {
  access_token: z.string(),
  token_type: z
    .string()
    .nullable()
    .openapi({ description: 'The scheme in the Authorization header, if any' }),
  authorization: z.string().nullable().openapi({
    description:
      'The whole value of the Authorization header the broker wants; null while the app’s id is not stored',
    example: 'Bearer SIMULATED.access.token',
  }),
  client_id: z.string().nullable().openapi({ description: 'The app’s id, where the header names it' }),
  session: z
    .record(z.string(), z.unknown())
    .nullable()
    .openapi({ description: 'Companions without which the token is useless' }),
}

export const TokenFacts = {
  account_id: AccountId,
  account: Account,
  user_id: z.string().nullable().openapi({ description: 'Whose token it is, as the broker calls them' }),
  live: z.boolean().openapi({ description: 'Whether it was proven, and nothing speaks against it since' }),
  unproven_since: Unproven,
  generation: z.int().openapi({ description: 'To be named when the broker refuses the token' }),
  version: z.int().nullable().openapi({ description: 'The vault’s version of the access token' }),
  issued_at: Time.nullable(),
  expires_at: Time.nullable(),
  expires_in: z.int().nullable().openapi({ description: 'Seconds' }),
}

export const Token = z.object({ ...TokenFacts, ...TokenFields }).openapi('Token')
