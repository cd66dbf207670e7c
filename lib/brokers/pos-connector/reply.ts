import * as z from 'zod/mini'
import { ConfigurationError, WrongAccountError } from '../../model/errors.ts'
import { Secret } from '../../model/secret.ts'
import { parseExpiresAt } from '../../oauth/expires-at.ts'
import type { BrokerContext, Renewal } from '../../ports/broker/broker-context.ts'
import { type BrokerReply, badField } from '../shared/call.ts'
import { POS } from './errors.ts'

/** Laravel's default `app.timezone`; another one by the option `tokenExpiryZone` (README, Expiry). */
const POS_TOKEN_EXPIRY_ZONE = 'UTC'
/** More than a century is a date in the wrong unit, not a lifetime. */
const LONGEST_EXPIRES_IN_S = 3_200_000_000

/** What the backend leaves out or fills with something else counts as left out. */
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
 * What a login gave, in any of its shapes (README, Endpoints); `undefined` when the reply is no success or has no
 * token, which is no success either. Throws WrongAccountError for another user's.
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

/** The user of a "who am I" reply, flat or under `data`; `undefined` when the reply is no success. */
export function userOf(reply: BrokerReply): PosUser | undefined {
  if (!isSuccess(reply)) return undefined
  const { data: root } = MeReply.safeParse(reply.json)
  for (const user of [root, root?.data]) {
    const id = user?.id ?? user?.email
    if (user && id !== undefined) {
      return { id, email: user.email, name: user.name, vendorId: user.vendor_id ?? undefined }
    }
  }
  // Any page that answers with some JSON must not pass for a proof.
  throw badField(POS, reply, 'user.id')
}

/** Throws WrongAccountError when the backend names another e-mail or vendor than the stored ones. */
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
 * The first expiry a reply names (README, Endpoints); `undefined` for none or null, which Sanctum allows, and for one
 * that cannot be read: a token is worth more than its date, and the default life is shorter than most.
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
