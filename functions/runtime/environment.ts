import * as z from 'zod/mini'
import { configured } from '../../lib/brokers/configured.ts'
import { settingsText } from '../../lib/brokers/settings.ts'
import { readMarketDays } from '../../lib/markets/changed-days.ts'
import { PresentDays } from '../../lib/markets/present-days.ts'
import type { RedisMirrorSettings } from '../../lib/mirrors/config.ts'
import { assertAllowedRedis } from '../../lib/mirrors/redis/address.ts'
import { type AccountId, isAccountId } from '../../lib/model/account-id.ts'
import { ConfigurationError } from '../../lib/model/errors.ts'
import { type MarketDays, NO_CHANGES } from '../../lib/model/market-days.ts'
import type { Broker } from '../../lib/ports/broker/broker.ts'
import { functionHosts } from './given-hosts.ts'

const DEPLOY_AGAIN = 'deploy the stack again; its variables are not meant to be edited by hand'

const Text = z.string().check(z.minLength(1, 'must not be empty'))
/** Names separated by commas. */
export const NameList = z.pipe(
  z.string(),
  z.transform((text) => text.split(',').map((name) => name.trim())),
)

/** What cdk.json says of single days, as JSON. */
export const MarketDaysText = z._default(z.pipe(z.string(), z.transform(marketDaysIn)), NO_CHANGES)

const AccountList = z.pipe(
  NameList,
  z.array(
    z.custom<AccountId>((name) => typeof name === 'string' && isAccountId(name), 'must be account ids'),
  ),
)

function variables(broker: Broker) {
  return z.object({
    AWS_LAMBDA_FUNCTION_NAME: Text,
    TOKENKEEPER_STACK: z.optional(Text),
    TOKENKEEPER_PREFIX: Text,
    TOKENKEEPER_TABLE: Text,
    TOKENKEEPER_TOPIC_ARN: Text,
    TOKENKEEPER_KEY_ID: z.optional(Text),
    TOKENKEEPER_BROKERS: settingsText({ [broker.id]: broker }),
    TOKENKEEPER_MARKET_DAYS: MarketDaysText,
    TOKENKEEPER_SITE_URL: z.optional(z.url('must be a URL')),
    TOKENKEEPER_ALLOW_HTTP_HOSTS: z._default(NameList, []),
    TOKENKEEPER_EVENTS_TOPIC_ARN: z.optional(Text),
    TOKENKEEPER_REDIS_URL: z.optional(Text),
    TOKENKEEPER_REDIS_DEFAULT_ACCOUNTS: z._default(AccountList, []),
  })
}

/** What the stack tells a function by its environment, checked. */
export interface FunctionEnvironment {
  readonly functionName: string
  /** The stack it belongs to. */
  readonly stackName: string | undefined
  readonly prefix: string
  readonly table: string
  readonly topicArn: string
  /** The topic of the events; absent where the stack has none. */
  readonly eventsTopicArn: string | undefined
  /** The Redis that mirrors published tokens; absent where there is none. */
  readonly redis: RedisMirrorSettings | undefined
  /** The customer-managed KMS key of the vault; absent where there is none. */
  readonly keyId: string | undefined
  /** The broker, with the owner's settings. */
  readonly broker: Broker
  /** What is said of single days, as that broker's session sees it. */
  readonly days: PresentDays
  /** The login site's address; absent where the stack has none. */
  readonly siteUrl: string | undefined
  /** Overrides of broker hosts: origin by host name. */
  readonly hosts: Readonly<Record<string, string>>
  /** Hosts that may be called over plain http, besides loopback. */
  readonly allowHttpHosts: readonly string[]
}

export type Variables = Readonly<Record<string, string | undefined>>

/**
 * Reads and checks the function's environment. Throws ConfigurationError, which names every variable that is
 * missing or wrong, and never a value: the override of a host may contain a credential by mistake.
 */
export function readEnvironment(broker: Broker, values: Variables = process.env): FunctionEnvironment {
  const data = checked(variables(broker), values)
  const { [broker.id]: settings } = data.TOKENKEEPER_BROKERS
  if (!settings)
    throw new ConfigurationError(`TOKENKEEPER_BROKERS has no ${broker.id}`, { fix: DEPLOY_AGAIN })
  const { TOKENKEEPER_REDIS_URL: redisUrl } = data
  const days = new PresentDays(data.TOKENKEEPER_MARKET_DAYS)
  if (redisUrl !== undefined) {
    assertAllowedRedis(redisUrl, data.TOKENKEEPER_ALLOW_HTTP_HOSTS, 'TOKENKEEPER_REDIS_URL')
  }
  return {
    functionName: data.AWS_LAMBDA_FUNCTION_NAME,
    stackName: data.TOKENKEEPER_STACK,
    prefix: data.TOKENKEEPER_PREFIX,
    table: data.TOKENKEEPER_TABLE,
    topicArn: data.TOKENKEEPER_TOPIC_ARN,
    eventsTopicArn: data.TOKENKEEPER_EVENTS_TOPIC_ARN,
    redis:
      redisUrl === undefined
        ? undefined
        : { url: redisUrl, defaultAccounts: data.TOKENKEEPER_REDIS_DEFAULT_ACCOUNTS },
    keyId: data.TOKENKEEPER_KEY_ID,
    broker: configured(broker, settings, days.now),
    days,
    siteUrl: data.TOKENKEEPER_SITE_URL,
    hosts: functionHosts([{ broker, settings }], values, data.TOKENKEEPER_ALLOW_HTTP_HOSTS),
    allowHttpHosts: data.TOKENKEEPER_ALLOW_HTTP_HOSTS,
  }
}

/**
 * Checks the variables a function needs. Throws ConfigurationError, which names each that is missing or
 * wrong, and where TOKENKEEPER_NOW is set.
 */
export function checked<T>(variables: z.ZodMiniType<T>, values: Variables): T {
  if (values['TOKENKEEPER_NOW'] !== undefined) {
    throw new ConfigurationError('TOKENKEEPER_NOW is set: a function on AWS runs on the real time only', {
      fix: 'remove TOKENKEEPER_NOW; it belongs to the local backend',
    })
  }
  const parsed = variables.safeParse(values)
  if (parsed.success) return parsed.data
  const mistakes = parsed.error.issues.flatMap((issue) => mistakesIn(issue, values))
  throw new ConfigurationError(`the environment of this function is wrong: ${mistakes.join('; ')}`, {
    fix: DEPLOY_AGAIN,
  })
}

/**
 * What is wrong with one variable. Of a setting only its place is told, since the schema's message may repeat
 * its value.
 */
function mistakesIn(issue: z.core.$ZodIssue, values: Variables): readonly string[] {
  const [variable = '', ...place] = issue.path.map(String)
  if (values[variable] === undefined) return [`${variable} is not set`]
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `${variable}: ${[...place, key].join('.')} is unknown`)
  }
  const isSetting = variable === 'TOKENKEEPER_BROKERS' && place.length > 0
  return [`${variable}: ${isSetting ? `${place.join('.')} is wrong` : issue.message}`]
}

function marketDaysIn(text: string, context: z.core.ParsePayload): MarketDays {
  try {
    return readMarketDays(JSON.parse(text))
  } catch {
    context.issues.push({ code: 'custom', input: text, message: 'must be days of markets as JSON' })
    return z.NEVER
  }
}
