import { LambdaClient } from '@aws-sdk/client-lambda'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ssmClient } from '../../lib/aws/clients.ts'
import { concurrencyFinding, throughputFinding } from '../../lib/cli/doctor/aws-limits.ts'
import { roomFindings } from '../../lib/cli/doctor/aws-vault.ts'
import { refusal, ScriptedAws } from './support/scripted-aws.ts'

let aws: ScriptedAws
beforeEach(async () => {
  aws = await ScriptedAws.start()
})
afterEach(() => aws.close())

const atOnce = (UnreservedConcurrentExecutions: number) => ({
  body: { AccountLimit: { UnreservedConcurrentExecutions } },
})
const highThroughput = (SettingValue: string) => ({ body: { ServiceSetting: { SettingValue } } })

test('ten functions at once, as a new AWS account has, are few; who can ask for more is told how', async () => {
  aws.answers = [atOnce(10), atOnce(1000)]
  expect(await concurrencyFinding(6, new LambdaClient())).toMatchObject({
    verdict: 'warn',
    says: expect.stringContaining('10 functions of this AWS account may run at once'),
    fix: expect.stringContaining('aws service-quotas request-service-quota-increase --service-code lambda'),
  })
  expect(await concurrencyFinding(6, new LambdaClient())).toMatchObject({ verdict: 'pass' })
})

test('the higher throughput of SSM is advised to who has many accounts, and to nobody else', async () => {
  aws.answers = [highThroughput('false'), highThroughput('false'), highThroughput('true')]
  const client = ssmClient()
  expect(await throughputFinding(6, client)).toMatchObject({ verdict: 'pass' })
  expect(await throughputFinding(500, client)).toMatchObject({
    verdict: 'warn',
    fix: expect.stringContaining(
      'aws ssm update-service-setting --setting-id /ssm/parameter-store/high-throughput-enabled --setting-value true',
    ),
  })
  expect(await throughputFinding(500, client)).toMatchObject({ verdict: 'pass' })
})

test('what one may not look at is no fault of the set-up', async () => {
  aws.answers = [refusal('AccessDeniedException', 'not authorized to perform: it', 403)]
  expect(await concurrencyFinding(6, new LambdaClient())).toMatchObject({
    verdict: 'note',
    says: expect.stringContaining('allow lambda:GetAccountSettings'),
  })
  expect(await throughputFinding(500, ssmClient())).toMatchObject({
    verdict: 'note',
    says: expect.stringContaining('allow ssm:GetServiceSetting'),
  })
})

test('parameters are counted before further ones cost', () => {
  const many = (count: number, advanced = 0) =>
    Array.from({ length: count }, (_, index) => ({
      path: `/p/fyers/${index}/pin`,
      isSecure: true,
      keyId: 'alias/aws/ssm',
      isAdvanced: index < advanced,
      arn: undefined,
    }))
  expect(roomFindings([], '/p')).toEqual([])
  expect(roomFindings(many(100, 2), '/p')).toMatchObject([
    { verdict: 'pass', says: '100 parameters below /p, 2 of them Advanced ($0.10 a month)' },
  ])
  expect(roomFindings(many(8_000), '/p')).toMatchObject([
    { verdict: 'warn', says: expect.stringContaining('room for 10000 standard ones') },
  ])
})
