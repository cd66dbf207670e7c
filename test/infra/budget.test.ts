import { describe, expect, test, vi } from 'vitest'
import { BROKER_IDS, BROKERS } from '../../lib/brokers/index.ts'
import { pageAt, tableUnder } from '../support/page.ts'
import { arnText, resourcesOf, templateOf } from './template.ts'

/** CloudFormation's own limit. */
const MOST_RESOURCES = 500
/** Of a metric at standard resolution, a month; every alarm here is on one. */
const DOLLARS_PER_ALARM = 0.1
const MOST_DOLLARS = 5
/** IAM's limits: for what is in a role, and for a policy of its own, without blanks. */
const MOST_IN_ROLE = 10_240
const MOST_IN_POLICY = 6_144
/** What a reference to a resource becomes: an ARN. */
const AN_ARN = 'x'.repeat(80)
/** As long as an account's number, or a region. */
const PSEUDO = 'x'.repeat(12)

// As many as one might think of: the six there are, each six times over.
vi.mock(import('../../lib/brokers/index.ts'), async (original) => {
  const real = await original()
  const copies = [1, 2, 3, 4, 5].flatMap((copy) =>
    Object.values(real.BROKERS).map((broker) => ({
      ...broker,
      id: `${broker.id}-${copy}`,
      displayName: `${broker.displayName} ${copy}`,
    })),
  )
  const BROKERS = { ...real.BROKERS, ...Object.fromEntries(copies.map((copy) => [copy.id, copy])) }
  return { ...real, BROKERS, BROKER_IDS: Object.keys(BROKERS) as unknown as typeof real.BROKER_IDS }
})

function templateWith(count: number, more: object = {}) {
  const brokers = Object.fromEntries(BROKER_IDS.slice(0, count).map((id) => [id, {}]))
  return templateOf({ prefix: '/stock-pipeline', brokers, alertEmails: ['ops@example.com'], ...more })
}

/** About how long a policy is once it is deployed. */
function lengthOf(document: unknown): number {
  const text = JSON.stringify(document, (_key, value) => {
    if (typeof value !== 'object' || value === null) return value
    if ('Fn::GetAtt' in value) return AN_ARN
    return 'Fn::Join' in value || 'Ref' in value
      ? arnText(value).replaceAll(/<[^>]*>|\{[^}]*\}/g, PSEUDO)
      : value
  })
  return text.length
}

function stackWith(count: number) {
  const template = templateWith(count)
  const { Resources } = template.toJSON() as { readonly Resources: object }
  const alarms = resourcesOf(template, 'AWS::CloudWatch::Alarm')
  // One metric each, no math: so many dollars.
  for (const { Properties } of alarms) expect(Properties).not.toHaveProperty('Metrics')
  return {
    resources: Object.keys(Resources).length,
    alarms: alarms.length,
    dollars: alarms.length * DOLLARS_PER_ALARM,
  }
}

describe.each([6, 36])('a stack of %i brokers', (count) => {
  const { resources, alarms, dollars } = stackWith(count)

  test('fits into one stack, and its alarms into five dollars a month', () => {
    expect(Object.keys(BROKERS)).toHaveLength(36)
    expect(resources).toBeLessThan(MOST_RESOURCES)
    expect(dollars).toBeLessThanOrEqual(MOST_DOLLARS)
  })

  test('has the figures of the manual', () => {
    const rows = tableUnder(pageAt('infra/README.md'), '### How much of it there is')
    const row = rows.find(([brokers]) => brokers === String(count))
    expect(row?.slice(1, 4)).toEqual([String(resources), String(alarms), `$${dollars.toFixed(2)}`])
  })
})

test.each([false, true])(
  'IAM has room for the policies of 36 brokers (a key of their own: %s)',
  (customerManagedKey) => {
    const template = templateWith(36, { customerManagedKey })
    const roles = resourcesOf(template, 'AWS::IAM::Role').map(({ Properties }) =>
      lengthOf((Properties['Policies'] as { PolicyDocument: object }[]).map((one) => one.PolicyDocument)),
    )
    const policies = resourcesOf(template, 'AWS::IAM::ManagedPolicy').map(({ Properties }) =>
      lengthOf(Properties['PolicyDocument']),
    )
    expect(Math.max(...roles)).toBeLessThan(MOST_IN_ROLE)
    expect(Math.max(...policies)).toBeLessThan(MOST_IN_POLICY)
    const ofSite = resourcesOf(template, 'AWS::IAM::ManagedPolicy').filter(
      ({ Properties }) => 'Roles' in Properties,
    )
    expect(ofSite).toHaveLength(6)
  },
)
