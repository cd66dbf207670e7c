import { afterEach, beforeEach, expect, test } from 'vitest'
import { dynamoDbClient } from '../../lib/aws/clients.ts'
import { dynamoMarketDays } from '../../lib/aws/dynamo/dynamo-market-days.ts'
import type { MarketDaysStore } from '../../lib/ports/market-days.ts'
import { refusal, ScriptedAws } from './support/scripted-aws.ts'

let aws: ScriptedAws
let store: MarketDaysStore

beforeEach(async () => {
  aws = await ScriptedAws.start()
  store = dynamoMarketDays({ client: dynamoDbClient(), table: 'Tokenkeeper-state' })
})
afterEach(() => aws.close())

test('a role without the right is told which action on which table', async () => {
  aws.answers = [refusal('AccessDeniedException', 'not authorized to perform: dynamodb:GetItem', 400)]
  await expect(store.read()).rejects.toMatchObject({
    name: 'StateStoreError',
    fix: expect.stringContaining('dynamodb:GetItem'),
  })
})

test('somebody else’s change in between is told as such', async () => {
  aws.answers = [refusal('ConditionalCheckFailedException', 'The conditional request failed', 400)]
  expect(await store.replace({ closed: [], sessions: [] }, 3)).toBe(false)
})
