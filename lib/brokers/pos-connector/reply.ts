import * as z from 'zod/mini'
import { ConfigurationError, WrongAccountError } from '../../model/errors.ts'
import { Secret } from '../../model/secrets/secret.ts'
import { parseExpiresAt } from '../../oauth/expires-at.ts'
import type { BrokerContext, Renewal } from '../../ports/broker/broker-context.ts'
import { type BrokerReply, badField } from '../shared/call.ts'
import { POS } from './errors.ts'

/** Laravel's default `app.timezone`; the option `tokenExpiryZone` replaces it (README, Expiry). */
const POS_TOKEN_EXPIRY_ZONE = 'UTC'
/** A longer life than a century is an instant in the wrong field, and no lifetime. */
const LONGEST_EXPIRES_IN_S = 3_200_000_000

/** A field with a value of another kind counts as absent. */
const lenient = <Schema extends z.ZodMiniType>(schema: Schema) => z.catch(z.optional(schema), undefined)

const Filled = z.string().check(z.minLength(1))
const Text = lenient(Filled)
const Id = lenient(z.union([Filled, z.pipe(z.number(), z.transform(String))]))
const User = z.object({ id: Id, email: Text, name: Text, vendor_id: Id })
const Fields = z.object({
  token: Text,
  access_token: Text,
  expires_at: z.optional(z.unknown()),
  token_expiry: z.optional(z.unknown()),
  expires_in: z.optional(z.unknown()),
  user: lenient(User),
})
const TokenReply = z.extend(Fields, { data: lenient(Fields) })
const MeReply = z.extend(User, { data: lenient(User) })

export interface PosUser {
  readonly id: string
  readonly email: string | undefined
  readonly name: string | undefined
  readonly vendorId: string | undefined
}

/**
 * The token in a login's reply, in any of its shapes (README, Endpoints); `undefined` where the reply is no
 * success or has no token. Throws WrongAccountError where it names another user, ConfigurationError for a bad
 * tokenExpiryZone.
 */
export function grantOf(context: BrokerContext, reply: BrokerReply): Renewal | undefined {
  if (!isSuccess(reply)) return undefined
  const { data: fields } = TokenReply.safeParse(reply.json)
  const nested = fields?.data
  const token = fields?.token ?? fields?.access_token ?? nested?.token ?? nested?.access_token
  if (!fields || token === undefined) return undefined
  const user = fields.user ?? nested?.user
  if (user) assertConfiguredUser(context, { email: user.email, vendorId: user.vendor_id ?? undefined })
  const zone = expiryZone(context)
  return {
    accessToken: new Secret(token),
    sentAt: reply.sentAt,
    ...(expiryIn(fields, zone) ?? (nested && expiryIn(nested, zone))),
  }
}

/**
 * The user in a reply of the call `me`, flat or under `data`; `undefined` where it is no success. Throws
 * UnexpectedResponseError for a success without a user.
 */
export function userOf(reply: BrokerReply): PosUser | undefined {
  if (!isSuccess(reply)) return undefined
  const { data: root } = MeReply.safeParse(reply.json)
  for (const user of [root, root?.data]) {
    const id = user?.id ?? user?.email
    if (user && id !== undefined) {
      return { id, email: user.email, name: user.name, vendorId: user.vendor_id ?? undefined }
    }
  }
  // Any page may answer with some JSON, which must not count as a proof.
  throw badField(POS, reply, 'user.id')
}

/** Throws WrongAccountError where the backend names another e-mail or vendor than the stored ones. */
export function assertConfiguredUser(
  context: BrokerContext,
  user: Pick<PosUser, 'email' | 'vendorId'>,
): void {
  const named = { email: user.email, vendor_id: user.vendorId }
  for (const name of ['email', 'vendor_id'] as const) {
    const stored = context.optional(name)?.reveal()
    const theirs = named[name]
    if (stored === undefined || theirs === undefined || stored.toLowerCase() === theirs.toLowerCase())
      continue
    throw new WrongAccountError(`the token belongs to another ${name} than the stored one`, {
      fix: `store the right ${name}: tokenkeeper setup ${context.account}; nothing was changed`,
    })
  }
}

function isSuccess({ status, bodyKind }: BrokerReply): boolean {
  return status >= 200 && status < 300 && bodyKind === 'json'
}

/**
 * The first expiry that a reply names (README, Endpoints). `undefined` where there is none or it is null,
 * which Sanctum allows, and where it cannot be read: the token is kept then, with the default life, which is
 * shorter than most.
 */
function expiryIn(
  fields: Readonly<Partial<Record<'expires_at' | 'token_expiry' | 'expires_in', unknown>>>,
  zone: string,
): Pick<Renewal, 'expiresAt' | 'expiresIn'> | undefined {
  for (const name of ['expires_at', 'token_expiry'] as const) {
    const expiresAt = parseExpiresAt(fields[name], zone)
    if (expiresAt) return { expiresAt }
  }
  const { expires_in: seconds } = fields
  const expiresIn =
    typeof seconds === 'number' || typeof seconds === 'string' ? Math.trunc(Number(seconds)) : 0
  return expiresIn > 0 && expiresIn < LONGEST_EXPIRES_IN_S ? { expiresIn } : undefined
}

function expiryZone(context: BrokerContext): string {
  const zone = context.settings.options?.['tokenExpiryZone'] ?? POS_TOKEN_EXPIRY_ZONE
  try {
    return context.clock.now().toZonedDateTimeISO(zone).timeZoneId
  } catch {
    throw new ConfigurationError(`the option "tokenExpiryZone" of ${context.account} is no time zone`, {
      fix: 'write an IANA name such as UTC or Asia/Kolkata',
    })
  }
}
