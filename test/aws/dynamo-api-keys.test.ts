import { GetItemCommand } from '@aws-sdk/client-dynamodb'
import { Temporal } from 'temporal-polyfill'
import { describe, expect, test } from 'vitest'
import { dynamoDbClient } from '../../lib/aws/clients.ts'
import { dynamoApiKeys } from '../../lib/aws/dynamo/dynamo-api-keys.ts'
import { dynamoStateStore } from '../../lib/aws/dynamo/dynamo-state-store.ts'
import { newApiKey } from '../../lib/model/api-key.ts'
import { apiKeysContract } from '../contracts/api-keys-contract.ts'
import { callsOf } from './support/calls.ts'
import { withMoto } from './support/moto-world.ts'
import { newStateTable } from './support/state-table.ts'

withMoto()

const NOW = Temporal.Instant.from('2026-11-23T12:00:00Z')

apiKeysContract('the DynamoDB store', async () => {
  const client = dynamoDbClient()
  return dynamoApiKeys({ client, table: await newStateTable(client) })
})

describe('the DynamoDB store of API keys', () => {
  test('R2.10 a person finds no secret in the item, and nothing that would make it expire', async () => {
    const client = dynamoDbClient()
    const table = await newStateTable(client)
    const { text, key } = newApiKey({ name: 'bot', scopes: ['token'], createdAt: NOW })
    await dynamoApiKeys({ client, table }).create(key)
    const Key = { pk: { S: 'keys' }, sk: { S: `key#${key.id}` } }
    const { Item } = await client.send(new GetItemCommand({ TableName: table, Key }))
    expect(Item).toMatchObject({ name: { S: 'bot' }, scopes: { L: [{ S: 'token' }] } })
    expect(Item).not.toHaveProperty('ttl')
    expect(JSON.stringify(Item)).not.toContain(text)
  })

  test('a request costs one GetItem for its key, read consistently', async () => {
    const client = dynamoDbClient()
    const table = await newStateTable(client)
    const calls = callsOf(client)
    await dynamoApiKeys({ client, table }).find('aaaaaaaaaa')
    expect(calls).toEqual(['GetItem'])
  })

  test('keys are no accounts of any broker', async () => {
    const client = dynamoDbClient()
    const table = await newStateTable(client)
    await dynamoApiKeys({ client, table }).create(
      newApiKey({ name: 'bot', scopes: ['token'], createdAt: NOW }).key,
    )
    for await (const state of dynamoStateStore({ client, table }).list('keys')) expect(state).toBeUndefined()
  })

  test('a table that is not there is named, with what to do', async () => {
    const keys = dynamoApiKeys({ client: dynamoDbClient(), table: 'Tokenkeeper-nowhere' })
    const nowhere = {
      name: 'StateStoreError',
      fix: expect.stringContaining('there is no table Tokenkeeper-nowhere'),
    }
    await expect(keys.find('aaaaaaaaaa')).rejects.toMatchObject(nowhere)
    await expect(keys.list()).rejects.toMatchObject(nowhere)
  })
})
