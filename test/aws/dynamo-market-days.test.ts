import { GetItemCommand } from '@aws-sdk/client-dynamodb'
import { expect, test } from 'vitest'
import { dynamoDbClient } from '../../lib/aws/clients.ts'
import { dynamoMarketDays } from '../../lib/aws/dynamo/dynamo-market-days.ts'
import { marketDaysContract } from '../contracts/market-days-contract.ts'
import { callsOf } from './support/calls.ts'
import { withMoto } from './support/moto-world.ts'
import { newStateTable } from './support/state-table.ts'

withMoto()

marketDaysContract(async () => {
  const client = dynamoDbClient()
  return dynamoMarketDays({ client, table: await newStateTable(client) })
})

test('a person finds the days in the item, whose partition every broker’s function may read', async () => {
  const client = dynamoDbClient()
  const table = await newStateTable(client)
  const store = dynamoMarketDays({ client, table })
  await store.replace({ closed: [{ market: 'in-equity', date: '2027-01-15' }], sessions: [] }, 0)
  const Key = { pk: { S: 'markets' }, sk: { S: 'days' } }
  const { Item } = await client.send(new GetItemCommand({ TableName: table, Key }))
  const day = { M: { market: { S: 'in-equity' }, date: { S: '2027-01-15' } } }
  expect(Item).toMatchObject({ days: { M: { closed: { L: [day] }, sessions: { L: [] } } } })
  const calls = callsOf(client)
  await store.read()
  expect(calls).toEqual(['GetItem'])
})
