import type { Stack } from 'aws-cdk-lib'
import { Queue } from 'aws-cdk-lib/aws-sqs'
import { AwsSolutionsChecks } from 'cdk-nag'
import { expect, test } from 'vitest'
import { BROKER_IDS } from '../../lib/brokers/index.ts'
import { stackOf } from './template.ts'

/** Every finding of cdk-nag that is not accepted, with the resource it is about. */
function findings(stack: Stack): readonly string[] {
  const { violations } = new AwsSolutionsChecks().validateScope(stack)
  return violations.flatMap(({ ruleName, violatingResources }) =>
    violatingResources.map(({ constructPath }) => `${ruleName} ${constructPath}`),
  )
}

const everything = {
  brokers: Object.fromEntries(BROKER_IDS.map((id) => [id, {}])),
  customerManagedKey: true,
  alertEmails: ['ops@example.com'],
  mirrors: { redis: { url: 'rediss://redis.example.invalid:6380' } },
}

test('the stack has no finding that is not accepted with a reason', () => {
  expect(findings(stackOf(everything))).toEqual([])
})

test('an accepted finding is accepted where it is, not for the whole stack', () => {
  const stack = stackOf(everything)
  new Queue(stack, 'Careless')
  expect(findings(stack)).toContain('AwsSolutions-SQS3 Tokenkeeper/Careless/Resource')
})
