import * as z from 'zod/mini'
import { MARKET_NAMES } from '../model/market-name.ts'
import type { Broker } from '../ports/broker/broker.ts'

const TimeZone = z
  .string()
  .check(
    z.refine(isTimeZone, { error: ({ input }) => `"${input}" is no IANA time zone such as Asia/Kolkata` }),
  )

/** An origin, or for a token service a base URL with a path. */
const Origin = z.url({ protocol: /^https?$/, error: ({ input }) => `"${input}" is no http(s) URL` })

const WallClock = z.string().check(z.regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'write a time of day such as 07:30'))

const Positive = z.number().check(z.positive())

/**
 * The schema of what an owner may set for all accounts of a broker: the keys of `brokers.<id>` in cdk.json.
 * The stack passes them to functions as text ({@link settingsText}), and both ends check them by this schema,
 * so a new setting is a key here and the place that uses it. lib/config.ts checks that schedules can be read.
 */
export function brokerSettings(broker: Broker) {
  return z
    .strictObject({
      /** Whether this broker is deployed and scheduled. */
      enabled: z._default(z.boolean(), true),
      schedules: z._default(z.array(z.string()).check(z.minLength(1)), [...broker.schedule.expressions]),
      timeZone: z._default(TimeZone, broker.schedule.timeZone),
      /** The markets whose sessions its tokens are for; none: an empty list. @default - the broker's usual ones */
      markets: z.optional(z.array(z.enum(MARKET_NAMES))),
      leewayMinutes: z.optional(Positive),
      maxLifetimeHours: z.optional(Positive),
      /**
       * When a person is reminded of an open incident, in minutes before the open. @default - the broker's,
       * else 60 and 30
       */
      remindMinutesBeforeOpen: z.optional(z.array(z.int().check(z.positive()))),
      /**
       * How many minutes before the open each token is proven once more, after the first proof of the
       * morning. @default - 45
       */
      proveMinutesBeforeOpen: z.optional(z.int().check(z.minimum(1), z.maximum(180))),
      /** The time of day from which a run requests an approval, HH:MM; by default only the page does. */
      approvalAt: z.optional(WallClock),
      pacingSeconds: z._default(z.number().check(z.minimum(0), z.maximum(300)), broker.pacingSeconds),
      /** Minutes one invocation may run before it hands over to the next. */
      timeoutMinutes: z._default(z.int().check(z.minimum(1), z.maximum(15)), 10),
      memoryMb: z._default(z.int().check(z.minimum(128), z.maximum(3008)), 256),
      /** Overrides of this broker's hosts, for tests and self-hosted gateways. */
      hosts: z._default(hostsOf(broker), {}),
    })
    .check(
      z.superRefine(({ approvalAt }, context) => {
        if (approvalAt === undefined || broker.login?.approval) return
        const message = `${broker.displayName} has no approval in an app of its own`
        context.addIssue({ code: 'custom', path: ['approvalAt'], message })
      }),
    )
}

type SettingsSchema = ReturnType<typeof brokerSettings>
export type BrokerSettings = z.output<SettingsSchema>

/**
 * The schema of several brokers' settings, by their ids. A broker without an entry is not used by the
 * installation.
 */
export function settingsById<Id extends string>(
  brokers: Readonly<Record<Id, Broker>>,
  schemaOf: (broker: Broker) => SettingsSchema = brokerSettings,
) {
  const entries = Object.entries<Broker>(brokers).map(([id, broker]) => [id, z.optional(schemaOf(broker))])
  return z.strictObject(Object.fromEntries(entries) as { [_ in Id]: z.ZodMiniOptional<SettingsSchema> })
}

/**
 * The codec for settings by broker id as the text of a function's variable: JSON with only what differs from
 * the defaults, which both ends know. Lambda has 4 kB for all variables.
 */
export function settingsText<Id extends string>(brokers: Readonly<Record<Id, Broker>>) {
  const schema = settingsById(brokers)
  return z.codec(z.string(), schema, {
    decode: (text, context) => parsed(text, context) as z.input<typeof schema>,
    encode: (settings) => {
      const given = Object.entries(settings as Readonly<Record<string, Partial<BrokerSettings> | undefined>>)
      return JSON.stringify(
        Object.fromEntries(given.map(([id, of]) => [id, of && withoutDefaults(brokers[id as Id], of)])),
      )
    },
  })
}

function withoutDefaults(broker: Broker, settings: Partial<BrokerSettings>): Partial<BrokerSettings> {
  const defaults = Object.entries(brokerSettings(broker).parse({}))
  const usual = new Map(defaults.map(([key, value]) => [key, JSON.stringify(value)]))
  return Object.fromEntries(
    Object.entries(settings).filter(([key, value]) => JSON.stringify(value) !== usual.get(key)),
  )
}

function parsed(text: string, context: z.core.ParsePayload): unknown {
  try {
    return JSON.parse(text)
  } catch {
    context.issues.push({ code: 'custom', input: text, message: 'must be the settings of brokers as JSON' })
    return z.NEVER
  }
}

function hostsOf(broker: Broker) {
  const names = Object.keys(broker.hosts)
  return z.strictObject(Object.fromEntries(names.map((name) => [name, z.optional(Origin)])))
}

/** Whether the runtime knows a time zone of this name. */
export function isTimeZone(name: string): boolean {
  try {
    return Intl.DateTimeFormat('en', { timeZone: name }) !== undefined
  } catch {
    return false
  }
}
