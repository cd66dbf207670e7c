import * as z from 'zod/mini'
import type { BrokerSettings } from '../../lib/brokers/configured.ts'
import { hostOverrides } from '../../lib/http/host-overrides.ts'
import type { RedisMirrorSettings } from '../../lib/mirrors/config.ts'
import { assertAllowedRedis } from '../../lib/mirrors/redis/address.ts'
import { type AccountId, isAccountId } from '../../lib/model/account-id.ts'
import { ConfigurationError } from '../../lib/model/errors.ts'
import type { Broker } from '../../lib/ports/broker.ts'

const Text = z.string().check(z.minLength(1, 'must not be empty'))
const NumberText = z.pipe(z.string().check(z.regex(/^\d+(\.\d+)?$/, 'must be a number')), z.transform(Number))

/** Names with commas between them. */
export const NameList = z.pipe(
  z.string(),
  z.transform((text) => text.split(',').map((name) => name.trim())),
)

const AccountList = z.pipe(
  NameList,
  z.array(
    z.custom<AccountId>((name) => typeof name === 'string' && isAccountId(name), 'must be account ids'),
  ),
)

/** Minutes; an empty text is an empty list: nobody is reminded. */
const MinuteList = z.pipe(
  z.string().check(z.regex(/^(\d+(,\d+)*)?$/, 'must be numbers with commas between them')),
  z.transform((text) => text.split(',').filter(Boolean).map(Number)),
)

const Variables = z.object({
  AWS_LAMBDA_FUNCTION_NAME: Text,
  TOKENKEEPER_PREFIX: Text,
  TOKENKEEPER_TABLE: Text,
  TOKENKEEPER_TOPIC_ARN: Text,
  TOKENKEEPER_KEY_ID: z.optional(Text),
  TOKENKEEPER_PACING_SECONDS: NumberText,
  TOKENKEEPER_LEEWAY_MINUTES: z.optional(NumberText),
  TOKENKEEPER_MAX_LIFETIME_HOURS: z.optional(NumberText),
  TOKENKEEPER_REMIND_MINUTES_BEFORE_OPEN: z.optional(MinuteList),
  TOKENKEEPER_PROVE_MINUTES_BEFORE_OPEN: z.optional(NumberText),
  TOKENKEEPER_APPROVAL_AT: z.optional(z.string().check(z.regex(/^\d\d:\d\d$/, 'must be a time of day'))),
  TOKENKEEPER_SITE_URL: z.optional(z.url('must be a URL')),
  TOKENKEEPER_ALLOW_HTTP_HOSTS: z._default(NameList, []),
  TOKENKEEPER_EVENTS_TOPIC_ARN: z.optional(Text),
  TOKENKEEPER_REDIS_URL: z.optional(Text),
  TOKENKEEPER_REDIS_DEFAULT_ACCOUNTS: z._default(AccountList, []),
})

/** What the stack tells a function through its environment, checked. */
export interface Environment {
  readonly functionName: string
  readonly prefix: string
  readonly table: string
  readonly topicArn: string
  /** The topic of the events; absent where the stack has none. */
  readonly eventsTopicArn: string | undefined
  /** The Redis that mirrors published tokens; absent where there is none. */
  readonly redis: RedisMirrorSettings | undefined
  /** The customer-managed key of the vault, if there is one. */
  readonly keyId: string | undefined
  readonly settings: BrokerSettings
  /** The login site's address; absent where the stack has none. */
  readonly siteUrl: string | undefined
  /** Overrides of broker hosts: origin by host name. */
  readonly hosts: Readonly<Record<string, string>>
  /** Hosts that may be spoken to over plain http, besides loopback. */
  readonly allowHttpHosts: readonly string[]
}

export type Values = Readonly<Record<string, string | undefined>>

/**
 * Reads and checks the function's environment. Throws ConfigurationError that names every variable that is
 * missing or wrong, never a value: a host override may carry a credential by mistake.
 */
export function readEnvironment(broker: Broker, values: Values = process.env): Environment {
  const data = checked(Variables, values)
  const { TOKENKEEPER_REDIS_URL: redisUrl } = data
  if (redisUrl !== undefined) {
    assertAllowedRedis(redisUrl, data.TOKENKEEPER_ALLOW_HTTP_HOSTS, 'TOKENKEEPER_REDIS_URL')
  }
  return {
    functionName: data.AWS_LAMBDA_FUNCTION_NAME,
    prefix: data.TOKENKEEPER_PREFIX,
    table: data.TOKENKEEPER_TABLE,
    topicArn: data.TOKENKEEPER_TOPIC_ARN,
    eventsTopicArn: data.TOKENKEEPER_EVENTS_TOPIC_ARN,
    redis:
      redisUrl === undefined
        ? undefined
        : { url: redisUrl, defaultAccounts: data.TOKENKEEPER_REDIS_DEFAULT_ACCOUNTS },
    keyId: data.TOKENKEEPER_KEY_ID,
    settings: {
      pacingSeconds: data.TOKENKEEPER_PACING_SECONDS,
      leewayMinutes: data.TOKENKEEPER_LEEWAY_MINUTES,
      maxLifetimeHours: data.TOKENKEEPER_MAX_LIFETIME_HOURS,
      remindMinutesBeforeOpen: data.TOKENKEEPER_REMIND_MINUTES_BEFORE_OPEN,
      proveMinutesBeforeOpen: data.TOKENKEEPER_PROVE_MINUTES_BEFORE_OPEN,
      approvalAt: data.TOKENKEEPER_APPROVAL_AT,
    },
    siteUrl: data.TOKENKEEPER_SITE_URL,
    hosts: hostOverrides(values, [broker], data.TOKENKEEPER_ALLOW_HTTP_HOSTS),
    allowHttpHosts: data.TOKENKEEPER_ALLOW_HTTP_HOSTS,
  }
}

/** The variables a function needs. Throws ConfigurationError that names every one that is missing or wrong. */
export function checked<T>(variables: z.ZodMiniType<T>, values: Values): T {
  if (values['TOKENKEEPER_NOW'] !== undefined) {
    throw new ConfigurationError('TOKENKEEPER_NOW is set: a function on AWS runs on the real time only', {
      fix: 'remove TOKENKEEPER_NOW; it belongs to the local backend',
    })
  }
  const parsed = variables.safeParse(values)
  if (parsed.success) return parsed.data
  const mistakes = parsed.error.issues.map(({ path: [name = ''], message }) =>
    values[String(name)] === undefined ? `${String(name)} is not set` : `${String(name)}: ${message}`,
  )
  throw new ConfigurationError(`the environment of this function is wrong: ${mistakes.join('; ')}`, {
    fix: 'deploy the stack again; its variables are not meant to be edited by hand',
  })
}
