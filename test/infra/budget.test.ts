import { describe, expect, test } from 'vitest'
import { BROKER_IDS } from '../../lib/brokers/index.ts'
import { figuresInManual, figuresOf, lengthOf, templateOfAll } from './budget.ts'
import { resourcesOf } from './template.ts'

/** CloudFormation's own limit. */
const MOST_RESOURCES = 500
const MOST_DOLLARS = 5
/** IAM's limits: for what is in a role, and for a policy of its own, without blanks. */
const MOST_IN_ROLE = 10_240
const MOST_IN_POLICY = 6_144
/** As many as one might think of: the six there are, each six times over. */
const TIMES = 6

test('a stack of all brokers has the figures of the manual', () => {
  expect(figuresInManual(BROKER_IDS.length)).toEqual(figuresOf(templateOfAll(1)))
})

describe('a stack of 36 brokers', () => {
  const figures = figuresOf(templateOfAll(TIMES))

  test('has the figures of the manual', () => {
    expect(figuresInManual(36)).toEqual(figures)
  })

  test('fits into one stack, and its alarms into five dollars a month', () => {
    const [resources, , dollars] = figures
    expect(Number(resources)).toBeLessThan(MOST_RESOURCES)
    expect(Number(dollars.slice(1))).toBeLessThanOrEqual(MOST_DOLLARS)
  })

  test.each([false, true])('has policies that IAM has room for (a key of its own: %s)', (key) => {
    const template = templateOfAll(TIMES, key)
    const roles = resourcesOf(template, 'AWS::IAM::Role').map(({ Properties }) =>
      lengthOf((Properties['Policies'] as { PolicyDocument: object }[]).map((one) => one.PolicyDocument)),
    )
    expect(Math.max(...roles)).toBeLessThan(MOST_IN_ROLE)
    const policies = resourcesOf(template, 'AWS::IAM::ManagedPolicy').map(({ Properties }) => Properties)
    expect(Math.max(...policies.map((one) => lengthOf(one['PolicyDocument'])))).toBeLessThan(MOST_IN_POLICY)
    expect(policies.filter((one) => 'Roles' in one)).toHaveLength(6)
  })
})
