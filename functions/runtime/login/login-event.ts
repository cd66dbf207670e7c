import * as z from 'zod/mini'
import { type AccountId, brokerOf, parseAccountId } from '../../../lib/model/account-id.ts'
import { ConfigurationError } from '../../../lib/model/errors.ts'
import type { Broker } from '../../../lib/ports/broker/broker.ts'
import type {
  ApprovalOrder,
  FinishOrder,
  StartOrder,
  WebhookOrder,
} from '../../../lib/ports/login-service.ts'

/** Characters; no broker's redirect or token is longer, and the site's own limits are narrower. */
const LONGEST_TEXT = 8192
/** Characters: a SHA-256 in base64url, or the name of the command line. */
const LONGEST_BINDING = 64

const Text = z.string().check(z.minLength(1), z.maxLength(LONGEST_TEXT))
const Browser = z.string().check(z.minLength(1), z.maxLength(LONGEST_BINDING))

const LoginEvent = z.strictObject({
  login: z.union([
    z.strictObject({
      step: z.literal('start'),
      account: Text,
      browser: Browser,
      callbackUrl: z.optional(Text),
    }),
    z.strictObject({
      step: z.literal('finish'),
      by: z.literal('redirect'),
      broker: Text,
      query: z.string().check(z.maxLength(LONGEST_TEXT)),
      browser: Browser,
    }),
    z.strictObject({ step: z.literal('finish'), by: z.literal('code'), account: Text, code: Text }),
    z.strictObject({ step: z.literal('request_approval'), account: Text }),
    z.strictObject({ step: z.literal('accept_approval'), account: Text, body: z.unknown() }),
  ]),
})

/** One step of a login that the site, or the command line, leaves to the broker's function. */
export type LoginStep =
  | { readonly step: 'start'; readonly order: StartOrder }
  | { readonly step: 'finish'; readonly order: FinishOrder }
  | { readonly step: 'request_approval'; readonly order: ApprovalOrder }
  | { readonly step: 'accept_approval'; readonly order: WebhookOrder }

/**
 * Reads `{ "login": { "step": …, …order } }`, which lib/aws/lambda/lambda-login-service.ts sends. Throws
 * ConfigurationError for anything else, and for an account of another broker. The error repeats nothing of
 * the event, which may contain a one-time code, a state or a token.
 */
export function readLoginEvent(broker: Broker, event: unknown): LoginStep {
  const parsed = LoginEvent.safeParse(event)
  if (!parsed.success) throw notUnderstood()
  const { login } = parsed.data
  switch (login.step) {
    case 'start': {
      const { browser, callbackUrl } = login
      const account = ownAccount(broker, login.account)
      return { step: 'start', order: { account, browser, callbackUrl } }
    }
    case 'finish': {
      if (login.by === 'code') {
        const account = ownAccount(broker, login.account)
        return { step: 'finish', order: { by: 'code', account, code: login.code } }
      }
      if (login.broker !== broker.id) throw stranger(broker)
      const { by, query, browser } = login
      return { step: 'finish', order: { by, broker: broker.id, query, browser } }
    }
    case 'request_approval':
      return { step: 'request_approval', order: { account: ownAccount(broker, login.account) } }
    case 'accept_approval': {
      const account = ownAccount(broker, login.account)
      return { step: 'accept_approval', order: { account, body: login.body } }
    }
  }
}

function ownAccount(broker: Broker, text: string): AccountId {
  if (!isAccountId(text)) throw notUnderstood()
  if (brokerOf(text) !== broker.id) throw stranger(broker)
  return text
}

/** Checked without the error of parseAccountId, which would repeat the text. */
function isAccountId(text: string): text is AccountId {
  try {
    return parseAccountId(text) === text
  } catch {
    return false
  }
}

function notUnderstood(): ConfigurationError {
  return new ConfigurationError('this login event cannot be understood', {
    fix: 'deploy this version of the stack: its site and its functions must be of one version',
  })
}

function stranger({ id }: Broker): ConfigurationError {
  return new ConfigurationError(`this login is of another broker than ${id}`, {
    fix: `invoke the function of that broker; this one serves ${id} only`,
  })
}
