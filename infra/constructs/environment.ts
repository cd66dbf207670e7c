import { Token } from 'aws-cdk-lib'
import * as z from 'zod/mini'
import { BROKERS } from '../../lib/brokers/index.ts'
import { type BrokerSettings, settingsText } from '../../lib/brokers/settings.ts'
import { stackCommand } from '../../lib/model/command-words.ts'
import { ConfigurationError } from '../../lib/model/errors.ts'
import type { MarketDays } from '../../lib/model/market-days.ts'

/** Lambda's own limit for all variables of a function, names and values together. */
const MOST_BYTES = 4096
/** What a reference to a resource may become: an ARN of a topic with a long name. */
const REFERENCE_BYTES = 200

/** A function's environment without what is not set. Throws ConfigurationError where Lambda has no room for it. */
export function functionEnvironment(
  functionName: string,
  variables: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const set = Object.entries(variables).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  )
  const sizes = set.map(([name, value]) => ({ name, bytes: Buffer.byteLength(name) + bytesOf(value) }))
  const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0)
  if (total > MOST_BYTES) {
    const [largest, next] = sizes.toSorted((one, other) => other.bytes - one.bytes)
    throw new ConfigurationError(
      `the variables of ${functionName} take ${total} bytes and Lambda allows ${MOST_BYTES}; most are of ` +
        `${largest?.name} (${largest?.bytes}) and ${next?.name} (${next?.bytes})`,
      {
        fix: 'shorten what cdk.json sets for them: settings of brokers, days of markets, allowHttpHosts, defaultAccounts of a mirror',
      },
    )
  }
  return Object.fromEntries(set)
}

/** What the owner has set for brokers, by their ids, as functions/runtime/environment.ts reads it. */
export function settingsVariable(settings: Readonly<Record<string, BrokerSettings>>): Record<string, string> {
  return { TOKENKEEPER_BROKERS: z.encode(settingsText(BROKERS), settings) }
}

/** What the owner has said of single days, as functions/runtime/environment.ts reads it; left out where it is nothing. */
export function marketDaysVariable(days: MarketDays): Record<string, string> {
  const isNothing = days.closed.length + days.sessions.length === 0
  return isNothing ? {} : { TOKENKEEPER_MARKET_DAYS: JSON.stringify(days) }
}

/** How people call our command, as functions/runtime/stack-words.ts reads it; what that takes for granted is left out. */
export function commandVariable(command: string): Record<string, string> {
  return command === stackCommand('local') ? {} : { TOKENKEEPER_COMMAND: command }
}

function bytesOf(value: string): number {
  return Token.isUnresolved(value) ? REFERENCE_BYTES : Buffer.byteLength(value)
}
