import * as z from 'zod/mini'
import { configured } from '../../../lib/brokers/configured.ts'
import { brokerNamed } from '../../../lib/brokers/index.ts'
import { hostOverrides } from '../../../lib/http/host-overrides.ts'
import type { Broker } from '../../../lib/ports/broker.ts'
import { checked, NameList, type Values } from '../environment.ts'

const Text = z.string().check(z.minLength(1, 'must not be empty'))

const BrokerSettings = z.strictObject({
  pacingSeconds: z.number(),
  leewayMinutes: z.optional(z.number()),
  maxLifetimeHours: z.optional(z.number()),
  proveMinutesBeforeOpen: z.optional(z.number()),
  approvalAt: z.optional(z.string()),
})

/** The settings of every broker of the stack, by its id, as JSON. */
const Brokers = z.pipe(
  z.pipe(Text, z.transform(parsed)),
  z.record(z.string(), BrokerSettings, 'must be the settings of the brokers as JSON'),
)

const Variables = z.object({
  TOKENKEEPER_SITE_URL: z.url('must be a URL'),
  TOKENKEEPER_STACK: Text,
  TOKENKEEPER_PREFIX: Text,
  TOKENKEEPER_TABLE: Text,
  TOKENKEEPER_BROKERS: Brokers,
  TOKENKEEPER_ALLOW_HTTP_HOSTS: z._default(NameList, []),
})

/** What the stack tells the site's function through its environment, checked. */
export interface SiteEnvironment {
  /** Its own address, as links have it. */
  readonly siteUrl: string
  readonly stackName: string
  readonly prefix: string
  readonly table: string
  /** Those of the stack, with the owner's settings. */
  readonly brokers: readonly Broker[]
  /** Overrides of their hosts: a form may lead to the ones with a login page. */
  readonly hosts: Readonly<Record<string, string>>
}

/** Reads and checks the environment of the site's function. Throws ConfigurationError as readEnvironment does. */
export function readSiteEnvironment(values: Values = process.env): SiteEnvironment {
  const data = checked(Variables, values)
  const brokers = Object.entries(data.TOKENKEEPER_BROKERS).map(([id, settings]) =>
    configured(brokerNamed(id), settings),
  )
  return {
    siteUrl: data.TOKENKEEPER_SITE_URL,
    stackName: data.TOKENKEEPER_STACK,
    prefix: data.TOKENKEEPER_PREFIX,
    table: data.TOKENKEEPER_TABLE,
    brokers,
    hosts: hostOverrides(values, brokers, data.TOKENKEEPER_ALLOW_HTTP_HOSTS),
  }
}

/** What is no JSON is no settings either. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
