import * as z from 'zod'
import { configured } from './brokers/configured.ts'
import { BROKER_IDS, BROKERS } from './brokers/index.ts'
import { type BrokerSettings, brokerSettings, isTimeZone, settingsById } from './brokers/settings.ts'
import { assertAllowedOrigin } from './http/allowed-origin.ts'
import { MarketDaysSetting } from './markets/days-setting.ts'
import { parseSchedule } from './markets/schedule.ts'
import { MirrorsConfig } from './mirrors/config.ts'
import { assertAllowedRedis } from './mirrors/redis/address.ts'
import { ConfigurationError } from './model/errors.ts'
import type { MarketDays } from './model/market-days.ts'
import type { Broker } from './ports/broker/broker.ts'

/** The retention periods CloudWatch Logs knows. */
const RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
]

const HostName = z.string().regex(/^[A-Za-z0-9.-]+$/, 'write a bare host name without scheme or port')

/** As AWS takes them, in any of its services. */
const Tags = z.record(z.string(), z.string().max(256)).superRefine((tags, context) => {
  for (const key of Object.keys(tags)) {
    if (/^(?!aws:)[\w.:/=+@ -]{1,128}$/i.test(key)) continue
    const message =
      'the name of a tag has 1 to 128 letters, digits, spaces and . : / = + - @ _ and begins not with aws:'
    context.addIssue({ code: 'custom', path: [key], message })
  }
})

const USER_INFO = /\/\/[^/"]*@/g

/** Not an alias: another key can be put behind one, and then what lies under the first cannot be opened. */
const KeyArn = z
  .string()
  .regex(
    /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]+$/,
    'write the ARN of a key, no alias: arn:aws:kms:<region>:<account>:key/<id>',
  )

/** The address of the login page. */
const Origin = z.url({ protocol: /^https?$/, error: ({ input }) => `"${input}" is no http(s) URL` })

/** The settings of a broker whose schedules can be read. */
function readableSettings(broker: Broker) {
  return brokerSettings(broker).check(
    z.superRefine(({ schedules, timeZone }, context) => {
      for (const [index, expression] of schedules.entries()) {
        try {
          parseSchedule(expression, isTimeZone(timeZone) ? timeZone : 'UTC')
        } catch (error) {
          context.addIssue({ code: 'custom', path: ['schedules', index], message: (error as Error).message })
        }
      }
    }),
  )
}

/** The whole `tokenkeeper` context; infra/README.md, Configuration, has a row for every key of it. */
export const ConfigSchema = z.strictObject({
  /** Which adapters the command line uses. */
  backend: z.enum(['local', 'aws']).default('local'),
  stackName: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9-]{0,63}$/, 'letters, digits and hyphens')
    .default('Tokenkeeper'),
  /** First part of every parameter name. */
  prefix: z
    .string()
    .regex(/^(\/[A-Za-z0-9_.-]+){1,3}$/, 'write a path such as /stock-pipeline')
    .refine((path) => !/^\/(aws|ssm)/i.test(path), 'SSM reserves names that begin with aws or ssm')
    .default('/tokenkeeper'),
  alertEmails: z.array(z.email()).default([]),
  logRetentionDays: z
    .number()
    .refine((days) => RETENTION_DAYS.includes(days), { error: `allowed: ${RETENTION_DAYS.join(', ')}` })
    .default(30),
  /** A KMS key of this stack's own instead of the account's aws/ssm key. */
  customerManagedKey: z.boolean().default(false),
  /** A KMS key that exists, in place of both. */
  keyArn: KeyArn.optional(),
  /** Keys that stored secrets may still lie under: they are opened with, and never written with. */
  previousKeyArns: z.array(KeyArn).default([]),
  /** Whether the stack and its table refuse to be deleted. */
  deletionProtection: z.boolean().default(true),
  /** On every resource of the stack that can have tags. */
  tags: Tags.default({}),
  /** Hosts that may be spoken to over plain http; loopback always may. */
  allowHttpHosts: z.array(HostName).default([]),
  /** The login page. */
  site: z
    .strictObject({
      /** Whether the stack has one; `serve` always does. */
      enabled: z.boolean().default(true),
      /** Whether programs can ask for tokens over HTTP, with a key; `serve` always answers them. */
      rest: z.boolean().default(true),
      /** Its address where it is another one than AWS or loopback give it: a domain of your own, a tunnel. */
      url: Origin.refine((url) => new URL(url).pathname === '/', 'write an origin without a path').optional(),
      /** Requests its function works on at the same time; of the account's own concurrency. @default - no bound */
      reservedConcurrency: z.int().min(1).max(1000).optional(),
    })
    .default({ enabled: true, rest: true }),
  /** Whether the stack has a topic that programs can subscribe to, told of each new token. */
  events: z.boolean().default(true),
  /** Copies of the published access tokens. */
  mirrors: MirrorsConfig,
  /** Days on which a market does not trade, or trades at another time, that no release knows yet. */
  markets: z._default(MarketDaysSetting, { closed: [], sessions: [] }),
  brokers: z._default(settingsById(BROKERS, readableSettings), {}),
})

/** The `tokenkeeper` context of cdk.json, checked and with its defaults filled in. */
export type Config = z.output<typeof ConfigSchema>

/**
 * Reads the `tokenkeeper` context. Throws ConfigurationError that lists every mistake: where it is, what was
 * given, what is allowed.
 */
export function parseConfig(context: unknown, source = 'cdk.json'): Config {
  const parsed = ConfigSchema.safeParse(context ?? {})
  if (!parsed.success) {
    const mistakes = parsed.error.issues.flatMap((issue) => explain(issue, context ?? {}))
    throw new ConfigurationError(`the "tokenkeeper" context of ${source} is wrong:\n${mistakes.join('\n')}`, {
      fix: `correct ${source}; infra/README.md, Configuration, lists every key`,
    })
  }
  const { allowHttpHosts, brokers, site, mirrors, customerManagedKey, keyArn } = parsed.data
  if (customerManagedKey && keyArn !== undefined) {
    throw new ConfigurationError(
      `${source} has customerManagedKey and keyArn: values can be encrypted under one key`,
      {
        fix: 'leave one of them out; the ARN of the key that is given up belongs into previousKeyArns',
      },
    )
  }
  if (mirrors.redis) assertAllowedRedis(mirrors.redis.url, allowHttpHosts, 'mirrors.redis.url')
  if (site.url !== undefined) assertAllowedOrigin(site.url, [], 'site.url')
  for (const [id, broker] of Object.entries(brokers)) {
    for (const [name, origin] of Object.entries(broker?.hosts ?? {})) {
      if (origin !== undefined) assertAllowedOrigin(origin, allowHttpHosts, `brokers.${id}.hosts.${name}`)
    }
  }
  return parsed.data
}

/** The brokers that are switched on, with their settings: those named in the context and not disabled. `days` is what is said of single days. */
export function enabledBrokers(
  config: Config,
  days: () => MarketDays = () => config.markets,
): readonly { readonly broker: Broker; readonly settings: BrokerSettings }[] {
  return BROKER_IDS.flatMap((id) => {
    const settings = config.brokers[id]
    return settings?.enabled ? [{ broker: configured(BROKERS[id], settings, days), settings }] : []
  })
}

/** One mistake as a line: path, what was given, what is allowed. */
function explain(issue: z.core.$ZodIssue, context: unknown): string[] {
  const at = issue.path.length > 0 ? issue.path.join('.') : 'tokenkeeper'
  if (issue.code === 'unrecognized_keys') {
    const allowed = allowedKeys(issue.path)
    return issue.keys.map((key) => `  ${at}: unknown key "${key}". Allowed: ${allowed.join(', ')}`)
  }
  const given = issue.path.reduce<unknown>(
    (value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key],
    context,
  )
  // A URL may carry a password by mistake.
  const shown =
    issue.code === 'custom' ? '' : ` (given: ${JSON.stringify(given)?.replace(USER_INFO, '//…@')})`
  return [`  ${at}: ${issue.message}${shown}`]
}

/** The keys of the object at a place in the schema. */
function allowedKeys(path: readonly PropertyKey[]): readonly string[] {
  let place: z.core.$ZodType = ConfigSchema
  for (const step of path) {
    const inner = bare(place)
    place =
      (inner instanceof z.core.$ZodArray ? inner._zod.def.element : shapeOf(inner)[String(step)]) ?? place
  }
  return Object.keys(shapeOf(bare(place)))
}

function bare(type: z.core.$ZodType): z.core.$ZodType {
  return type instanceof z.core.$ZodDefault || type instanceof z.core.$ZodOptional
    ? bare(type._zod.def.innerType)
    : type
}

function shapeOf(type: z.core.$ZodType): Readonly<Record<string, z.core.$ZodType>> {
  return type instanceof z.core.$ZodObject ? type._zod.def.shape : {}
}
