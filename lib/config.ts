import * as z from 'zod'
import { configured } from './brokers/configured.ts'
import { BROKER_IDS, BROKERS, type BrokerId } from './brokers/index.ts'
import { assertAllowedOrigin } from './http/allowed-origin.ts'
import { REMIND_MINUTES_BEFORE_OPEN } from './markets/reminders.ts'
import { parseSchedule } from './markets/schedule.ts'
import { MirrorsConfig } from './mirrors/config.ts'
import { assertAllowedRedis } from './mirrors/redis/address.ts'
import { ConfigurationError } from './model/errors.ts'
import type { Broker } from './ports/broker.ts'

/** The retention periods CloudWatch Logs knows. */
const RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
]

const TimeZone = z
  .string()
  .refine(isTimeZone, { error: ({ input }) => `"${input}" is no IANA time zone such as Asia/Kolkata` })
const HostName = z.string().regex(/^[A-Za-z0-9.-]+$/, 'write a bare host name without scheme or port')

const USER_INFO = /\/\/[^/"]*@/g

/** An origin, or the base URL of a token service with a path. */
const Origin = z.url({ protocol: /^https?$/, error: ({ input }) => `"${input}" is no http(s) URL` })

const WallClock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'write a time of day such as 07:30')

function brokerConfig(broker: Broker) {
  return z
    .strictObject({
      /** Whether this broker is deployed and scheduled. */
      enabled: z.boolean().default(true),
      schedules: z
        .array(z.string())
        .min(1)
        .default([...broker.schedule.expressions]),
      timeZone: TimeZone.default(broker.schedule.timeZone),
      leewayMinutes: z.number().positive().optional(),
      maxLifetimeHours: z.number().positive().optional(),
      /** When a person is asked again for what is still open. */
      remindMinutesBeforeOpen: z
        .array(z.number().int().positive())
        .default([...(broker.remindMinutesBeforeOpen ?? REMIND_MINUTES_BEFORE_OPEN)]),
      /** How near the open each token is proven once more; its morning begins three hours before. @default - 45 */
      proveMinutesBeforeOpen: z.number().int().min(1).max(180).optional(),
      /** When the broker asks its customer in its own app by itself, HH:MM; by default from the page only. */
      approvalAt: WallClock.optional(),
      pacingSeconds: z.number().min(0).max(300).default(broker.pacingSeconds),
      /** Minutes one invocation may run before it hands over to the next. */
      timeoutMinutes: z.number().int().min(1).max(15).default(10),
      memoryMb: z.number().int().min(128).max(3008).default(256),
      hosts: hostsOf(broker),
    })
    .superRefine(({ schedules, timeZone, approvalAt }, context) => {
      if (approvalAt !== undefined && !broker.login?.approval) {
        const message = `${broker.displayName} has no approval in an app of its own`
        context.addIssue({ code: 'custom', path: ['approvalAt'], message })
      }
      for (const [index, expression] of schedules.entries()) {
        try {
          parseSchedule(expression, isTimeZone(timeZone) ? timeZone : 'UTC')
        } catch (error) {
          context.addIssue({ code: 'custom', path: ['schedules', index], message: (error as Error).message })
        }
      }
    })
}

/** Overrides of this broker's hosts, for tests and self-hosted gateways. */
function hostsOf(broker: Broker) {
  const names = Object.keys(broker.hosts)
  return z.strictObject(Object.fromEntries(names.map((name) => [name, Origin.optional()]))).default({})
}

const BrokersConfig = z.strictObject(
  Object.fromEntries(BROKER_IDS.map((id) => [id, brokerConfig(BROKERS[id]).optional()])) as {
    [Id in BrokerId]: z.ZodOptional<ReturnType<typeof brokerConfig>>
  },
)

const ConfigSchema = z.strictObject({
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
  /** Hosts that may be spoken to over plain http; loopback always may. */
  allowHttpHosts: z.array(HostName).default([]),
  /** The login page. */
  site: z
    .strictObject({
      /** Whether the stack has one; `serve` always does. */
      enabled: z.boolean().default(true),
      /** Its address where it is another one than AWS or loopback give it: a domain of your own, a tunnel. */
      url: Origin.refine((url) => new URL(url).pathname === '/', 'write an origin without a path').optional(),
    })
    .default({ enabled: true }),
  /** Whether the stack has a topic that programs can subscribe to, told of each new token. */
  events: z.boolean().default(true),
  /** Copies of the published access tokens. */
  mirrors: MirrorsConfig,
  brokers: BrokersConfig.default({}),
})

/** The `tokenkeeper` context of cdk.json, checked and with its defaults filled in. */
export type Config = z.output<typeof ConfigSchema>
export type BrokerConfig = z.output<ReturnType<typeof brokerConfig>>

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
  const { allowHttpHosts, brokers, site, mirrors } = parsed.data
  if (mirrors.redis) assertAllowedRedis(mirrors.redis.url, allowHttpHosts, 'mirrors.redis.url')
  if (site.url !== undefined) assertAllowedOrigin(site.url, [], 'site.url')
  for (const [id, broker] of Object.entries(brokers)) {
    for (const [name, origin] of Object.entries(broker?.hosts ?? {})) {
      if (origin !== undefined) assertAllowedOrigin(origin, allowHttpHosts, `brokers.${id}.hosts.${name}`)
    }
  }
  return parsed.data
}

/** The brokers that are switched on, with their settings: those named in the context and not disabled. */
export function enabledBrokers(
  config: Config,
): readonly { readonly broker: Broker; readonly settings: BrokerConfig }[] {
  return BROKER_IDS.flatMap((id) => {
    const settings = config.brokers[id]
    return settings?.enabled ? [{ broker: configured(BROKERS[id], settings), settings }] : []
  })
}

function isTimeZone(name: string): boolean {
  try {
    return Intl.DateTimeFormat('en', { timeZone: name }) !== undefined
  } catch {
    return false
  }
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
    place = (inner instanceof z.ZodArray ? inner.element : shapeOf(inner)[String(step)]) ?? place
  }
  return Object.keys(shapeOf(bare(place)))
}

function bare(type: z.core.$ZodType): z.core.$ZodType {
  return type instanceof z.ZodDefault || type instanceof z.ZodOptional ? bare(type.unwrap()) : type
}

function shapeOf(type: z.core.$ZodType): Readonly<Record<string, z.core.$ZodType>> {
  return type instanceof z.ZodObject ? type.shape : {}
}
