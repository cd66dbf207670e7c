import { marshall } from '@aws-sdk/util-dynamodb'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { dynamoDbClient } from '../../lib/aws/clients.ts'
import { dynamoApiKeys } from '../../lib/aws/dynamo/dynamo-api-keys.ts'
import { ScriptedAws } from './support/scripted-aws.ts'

let aws: ScriptedAws

beforeEach(async () => {
  aws = await ScriptedAws.start()
})
afterEach(() => aws.close())

test('a key changed by hand is told as that, and not as a fault of DynamoDB', async () => {
  const spoiled = marshall({ pk: 'keys', sk: 'key#K1', createdAt: 'yesterday' })
  aws.answers = [{ body: { Items: [spoiled], Count: 1 } }]
  const keys = dynamoApiKeys({ client: dynamoDbClient(), table: 'Tokenkeeper-state' })
  await expect(keys.list()).rejects.toMatchObject({
    message: 'the record key#K1 of keys cannot be read',
    fix: expect.stringContaining('revoke that key'),
  })
})
