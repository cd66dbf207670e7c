import { Temporal } from 'temporal-polyfill'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { lambdaFollowUp } from '../../lib/aws/lambda/lambda-follow-up.ts'
import { parseAccountId } from '../../lib/model/account-id.ts'
import type { FollowUp } from '../../lib/ports/follow-up.ts'
import { refusal, ScriptedAws } from './support/scripted-aws.ts'

const ACCOUNTS = ['fyers', 'fyers/papa'].map(parseAccountId)

let aws: ScriptedAws
let followUp: FollowUp

beforeEach(async () => {
  aws = await ScriptedAws.start()
  aws.answers = [{ status: 202 }]
  followUp = lambdaFollowUp({ functionName: 'Tokenkeeper-fyers' })
})

afterEach(() => aws.close())

const events = () => aws.seen.map(({ body }) => JSON.parse(body) as { accounts: string[] })

describe('a follow-up', () => {
  test('is one asynchronous invocation of the same function with the accounts that are left', async () => {
    await followUp.handOver({ accounts: ACCOUNTS, continuation: 1 })
    expect(events()).toEqual([{ accounts: ['fyers', 'fyers/papa'], reason: 'continued', continuation: 1 }])
    expect(aws.seen[0]?.path).toContain('/functions/Tokenkeeper-fyers/invocations')
    expect(aws.seen[0]?.headers['x-amz-invocation-type']).toBe('Event')
  })

  test('remembers when a person forced the run', async () => {
    const forcedAt = Temporal.Instant.from('2026-11-23T07:00:00+05:30')
    await followUp.handOver({ accounts: ACCOUNTS, forcedAt, continuation: 2 })
    expect(events()).toMatchObject([{ forcedAt: '2026-11-23T01:30:00Z', continuation: 2 }])
  })

  test('of no accounts is none', async () => {
    await followUp.handOver({ accounts: [], continuation: 1 })
    expect(aws.seen).toHaveLength(0)
  })

  test('of thousands of accounts is several, none over 200 kB, each account in one of them', async () => {
    const accounts = Array.from({ length: 5_000 }, (_, number) =>
      parseAccountId(`iifl/${String(number).padStart(64, '0')}`),
    )
    await followUp.handOver({ accounts, continuation: 1 })
    expect(aws.seen).toHaveLength(2)
    for (const { body } of aws.seen) expect(Buffer.byteLength(body)).toBeLessThanOrEqual(200_000)
    expect(events().flatMap((event) => event.accounts)).toEqual(accounts)
    // Of several that go on at the same time one alone may end the alarm of the broker.
    await followUp.handOver({ accounts, continuation: 1, unsuccessful: 3 })
    expect(events().slice(2)).toMatchObject([{}, { unsuccessful: 3 }])
    expect(events()[2]).not.toHaveProperty('unsuccessful')
  })

  test('that cannot be started says what to allow', async () => {
    aws.answers = [refusal('AccessDeniedException', 'no', 403)]
    await expect(followUp.handOver({ accounts: ACCOUNTS, continuation: 1 })).rejects.toMatchObject({
      name: 'FollowUpError',
      code: 'follow_up_failed',
      fix: 'allow lambda:InvokeFunction on function Tokenkeeper-fyers for the role or user that runs this',
    })
  })
})
