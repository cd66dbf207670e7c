import * as z from 'zod/mini'
import { configured } from '../../../lib/brokers/configured.ts'
import { BROKERS, brokerNamed } from '../../../lib/brokers/index.ts'
import { settingsText } from '../../../lib/brokers/settings.ts'
import { PresentDays } from '../../../lib/markets/present-days.ts'
import type { Broker } from '../../../lib/ports/broker/broker.ts'
import { checked, MarketDaysText, NameList, type Variables } from '../environment.ts'
import { functionHosts } from '../given-hosts.ts'

const Text = z.string().check(z.minLength(1, 'must not be empty'))

const SiteVariables = z.object({
  TOKENKEEPER_SITE_URL: z.url('must be a URL'),
  TOKENKEEPER_STACK: Text,
  TOKENKEEPER_PREFIX: Text,
  TOKENKEEPER_TABLE: Text,
  TOKENKEEPER_BROKERS: settingsText(BROKERS),
  TOKENKEEPER_MARKET_DAYS: MarketDaysText,
  TOKENKEEPER_ALLOW_HTTP_HOSTS: z._default(NameList, []),
})

/** What the stack tells the site's function by its environment, checked. */
export interface SiteEnvironment {
  /** The site's own address, as it stands in links. */
  readonly siteUrl: string
  readonly stackName: string
  readonly prefix: string
  readonly table: string
  /** The brokers of the stack, with the owner's settings. */
  readonly brokers: readonly Broker[]
  /** What is said of single days, as their sessions see it. */
  readonly days: PresentDays
  /** Overrides of the brokers' hosts: a form may lead to those with a login page. */
  readonly hosts: Readonly<Record<string, string>>
}

/** Reads and checks the environment of the site's function. Throws ConfigurationError as readEnvironment does. */
export function readSiteEnvironment(values: Variables = process.env): SiteEnvironment {
  const data = checked(SiteVariables, values)
  const given = Object.entries(data.TOKENKEEPER_BROKERS).flatMap(([id, settings]) =>
    settings ? [{ broker: brokerNamed(id), settings }] : [],
  )
  const days = new PresentDays(data.TOKENKEEPER_MARKET_DAYS)
  return {
    siteUrl: data.TOKENKEEPER_SITE_URL,
    stackName: data.TOKENKEEPER_STACK,
    prefix: data.TOKENKEEPER_PREFIX,
    table: data.TOKENKEEPER_TABLE,
    brokers: given.map(({ broker, settings }) => configured(broker, settings, days.now)),
    days,
    hosts: functionHosts(given, values, data.TOKENKEEPER_ALLOW_HTTP_HOSTS),
  }
}
