import { Temporal } from 'temporal-polyfill'
import * as z from 'zod/mini'
import { type AccountId, brokerOf, isAccountId } from '../../../lib/model/account-id.ts'
import { ConfigurationError } from '../../../lib/model/errors.ts'
import { Secret } from '../../../lib/model/secrets/secret.ts'
import type { Broker } from '../../../lib/ports/broker/broker.ts'
import type { AdoptOrder, ValidateOrder } from '../../../lib/ports/token-service.ts'

const LONGEST_TOKEN = 8192

const Account = z.string().check(z.minLength(1), z.maxLength(100))

const TokenEvent = z.union([
  z.strictObject({
    adopt: z.strictObject({
      account: Account,
      accessToken: z.string().check(z.minLength(1), z.maxLength(LONGEST_TOKEN)),
      expiresAt: z.optional(z.iso.datetime({ offset: true })),
      replaceNewer: z.boolean(),
    }),
  }),
  z.strictObject({ validate: z.strictObject({ account: Account }) }),
])

/** Work on one token that the site leaves to the broker's function. */
export type TokenWork =
  | { readonly work: 'adopt'; readonly order: AdoptOrder }
  | { readonly work: 'validate'; readonly order: ValidateOrder }

/**
 * Reads `{ "adopt": {…} }` or `{ "validate": {…} }`, which lib/aws/lambda/lambda-token-service.ts sends. Throws
 * ConfigurationError for anything else, and for an account of another broker. The error repeats nothing of
 * the event, which may contain a token.
 */
export function readTokenEvent(broker: Broker, event: unknown): TokenWork {
  const parsed = TokenEvent.safeParse(event)
  if (!parsed.success) throw notUnderstood()
  if ('validate' in parsed.data) {
    return { work: 'validate', order: { account: ownAccount(broker, parsed.data.validate.account) } }
  }
  const { account, accessToken, expiresAt, replaceNewer } = parsed.data.adopt
  return {
    work: 'adopt',
    order: {
      account: ownAccount(broker, account),
      accessToken: new Secret(accessToken),
      ...(expiresAt !== undefined && { expiresAt: Temporal.Instant.from(expiresAt) }),
      replaceNewer,
    },
  }
}

function ownAccount(broker: Broker, text: string): AccountId {
  if (!isAccountId(text)) throw notUnderstood()
  if (brokerOf(text) === broker.id) return text
  throw new ConfigurationError(`this is about an account of another broker than ${broker.id}`, {
    fix: `invoke the function of that broker; this one serves ${broker.id} only`,
  })
}

function notUnderstood(): ConfigurationError {
  return new ConfigurationError('this event about a token cannot be understood', {
    fix: 'deploy this version of the stack: its site and its functions must be of one version',
  })
}
