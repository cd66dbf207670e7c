import { App } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import { expect } from 'vitest'
import { TokenKeeperStack } from '../../infra/token-keeper-stack.ts'
import { BROKERS } from '../../lib/brokers/index.ts'
import { enabledBrokers, parseConfig } from '../../lib/config.ts'
import type { Broker } from '../../lib/ports/broker/broker.ts'
import { pageAt, tableUnder } from '../support/page.ts'
import { arnText, FEATURE_FLAGS, resourcesOf } from './template.ts'

/** Of a metric at standard resolution, a month; every alarm here is on one. */
const DOLLARS_PER_ALARM = 0.1
/** What a reference to a resource becomes: an ARN. */
const AN_ARN = 'x'.repeat(80)
/** As long as an account's number, or a region. */
const PSEUDO = 'x'.repeat(12)

/** The stack of all brokers there are, each so many times over under names of its own. */
export function templateOfAll(times: number, customerManagedKey = false): Template {
  const ids = Object.keys(BROKERS)
  const config = parseConfig({
    prefix: '/stock-pipeline',
    alertEmails: ['ops@example.com'],
    customerManagedKey,
    brokers: Object.fromEntries(ids.map((id) => [id, {}])),
  })
  const there = enabledBrokers(config)
  const copies = Array.from({ length: times - 1 }, (_, index) =>
    there.map(({ broker, settings }) => {
      const name = { id: `${broker.id}-${index + 1}`, displayName: `${broker.displayName} ${index + 1}` }
      return { broker: { ...broker, ...name }, settings }
    }),
  ).flat()
  const app = new App({ context: { ...FEATURE_FLAGS, 'aws:cdk:bundling-stacks': [] } })
  // Settings are written for brokers that are known only.
  const known: Record<string, Broker> = BROKERS
  for (const { broker } of copies) known[broker.id] = broker
  try {
    return Template.fromStack(
      new TokenKeeperStack(app, config.stackName, { config, brokers: [...there, ...copies] }),
    )
  } finally {
    for (const { broker } of copies) delete known[broker.id]
  }
}

/** About how long a policy is once it is deployed. */
export function lengthOf(document: unknown): number {
  const text = JSON.stringify(document, (_key, value) => {
    if (typeof value !== 'object' || value === null) return value
    if ('Fn::GetAtt' in value) return AN_ARN
    return 'Fn::Join' in value || 'Ref' in value
      ? arnText(value).replaceAll(/<[^>]*>|\{[^}]*\}/g, PSEUDO)
      : value
  })
  return text.length
}

/** Resources, alarms and what these cost a month, as the manual writes them. */
export function figuresOf(template: Template): readonly [string, string, string] {
  const { Resources } = template.toJSON() as { readonly Resources: object }
  const alarms = resourcesOf(template, 'AWS::CloudWatch::Alarm')
  // On one metric each, no math: so many dollars.
  for (const { Properties } of alarms) expect(Properties).not.toHaveProperty('Metrics')
  const dollars = alarms.length * DOLLARS_PER_ALARM
  return [String(Object.keys(Resources).length), String(alarms.length), `$${dollars.toFixed(2)}`]
}

/** What the manual says of a stack of so many brokers. */
export function figuresInManual(brokers: number): readonly string[] {
  const rows = tableUnder(pageAt('infra/README.md'), '### How much of it there is')
  return rows.find(([count]) => count === String(brokers))?.slice(1, 4) ?? []
}
