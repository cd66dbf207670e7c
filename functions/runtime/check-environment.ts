import * as z from 'zod/mini'
import { configured } from '../../lib/brokers/configured.ts'
import { BROKERS, brokerNamed } from '../../lib/brokers/index.ts'
import { settingsText } from '../../lib/brokers/settings.ts'
import { checked, type Variables } from './environment.ts'
import type { WatchedBroker } from './missed-runs.ts'

const Text = z.string().check(z.minLength(1, 'must not be empty'))

const CheckVariables = z.object({
  TOKENKEEPER_TOPIC_ARN: z.string().check(z.startsWith('arn:', 'must be an ARN')),
  TOKENKEEPER_ALERT_EMAILS: z._default(z.string(), ''),
  TOKENKEEPER_STACK: Text,
  TOKENKEEPER_TABLE: Text,
  TOKENKEEPER_BROKERS: settingsText(BROKERS),
})

/** What the stack tells the daily check through its environment, checked. */
export interface CheckEnvironment {
  readonly topicArn: string
  /** Addresses that ought to be subscribed. */
  readonly emails: readonly string[]
  readonly stackName: string
  readonly table: string
  /** Those of the stack. */
  readonly brokers: readonly WatchedBroker[]
}

/** Reads and checks the environment of the daily check. Throws ConfigurationError as readEnvironment does. */
export function readCheckEnvironment(values: Variables = process.env): CheckEnvironment {
  const data = checked(CheckVariables, values)
  return {
    topicArn: data.TOKENKEEPER_TOPIC_ARN,
    emails: data.TOKENKEEPER_ALERT_EMAILS.split(',').filter((email) => email !== ''),
    stackName: data.TOKENKEEPER_STACK,
    table: data.TOKENKEEPER_TABLE,
    brokers: Object.entries(data.TOKENKEEPER_BROKERS).flatMap(([id, settings]) =>
      settings ? [{ broker: configured(brokerNamed(id), settings), settings }] : [],
    ),
  }
}
