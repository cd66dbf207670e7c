import {
  CreateTableCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb'
import { beforeEach, describe, expect, test } from 'vitest'
import { dynamoDbClient } from '../../lib/aws/clients.ts'
import { dynamoStateStore } from '../../lib/aws/dynamo/dynamo-state-store.ts'
import { parseAccountId } from '../../lib/model/account-id.ts'
import { changed, newAccountState } from '../../lib/model/account-state.ts'
import type { StateStore } from '../../lib/ports/state-store.ts'
import { stateStoreContract } from '../contracts/state-store-contract.ts'
import { callsOf } from './support/calls.ts'
import { withMoto } from './support/moto-world.ts'

withMoto()

let tables = 0

async function newTable(client: DynamoDBClient): Promise<string> {
  const table = `Tokenkeeper-state-${++tables}`
  await client.send(
    new CreateTableCommand({
      TableName: table,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
      ],
    }),
  )
  return table
}

stateStoreContract('the DynamoDB store', async () => {
  const client = dynamoDbClient()
  return dynamoStateStore({ client, table: await newTable(client) })
})

describe('the DynamoDB store', () => {
  const state = changed(newAccountState(parseAccountId('fyers/papa'), { nickname: 'Papa' }), {})
  const Key = { pk: { S: 'broker#fyers' }, sk: { S: 'account#fyers/papa' } }
  let client: DynamoDBClient
  let table: string
  let calls: string[]
  let states: StateStore

  beforeEach(async () => {
    client = dynamoDbClient()
    table = await newTable(client)
    calls = callsOf(client)
    states = dynamoStateStore({ client, table })
  })

  const list = async () => {
    const ids: string[] = []
    for await (const { account } of states.list('fyers')) ids.push(account)
    return ids
  }

  test('a read is one GetItem, a write one PutItem, and so is a lost race', async () => {
    await states.replace(state)
    await states.replace(changed(state, {}))
    expect(await states.replace(changed(state, {}))).toMatchObject({
      written: false,
      current: { revision: 2 },
    })
    await states.get(state.account)
    expect(calls).toEqual(['PutItem', 'PutItem', 'PutItem', 'GetItem'])
  })

  test('reads see every write that was answered before them', async () => {
    const consistent: unknown[] = []
    client.middlewareStack.add(
      (next) => (args) => {
        consistent.push((args.input as { ConsistentRead?: boolean }).ConsistentRead)
        return next(args)
      },
      { step: 'initialize' },
    )
    await states.get(state.account)
    await list()
    expect(consistent).toEqual([true, true])
  })

  test('a list is one Query per hundred accounts, each sent only when its records are wanted', async () => {
    for (let number = 0; number < 150; number++) {
      await states.replace(changed(newAccountState(parseAccountId(`fyers/${number}`)), {}))
    }
    calls.length = 0
    for await (const _ of states.list('fyers')) break
    expect(calls).toEqual(['Query'])
    expect(await list()).toHaveLength(150)
    expect(calls).toEqual(['Query', 'Query', 'Query'])
  })

  test('a person finds the record’s fields as attributes, and nothing that would make it expire', async () => {
    await states.replace(state)
    const { Item } = await client.send(new GetItemCommand({ TableName: table, Key }))
    expect(Item).toMatchObject({ revision: { N: '1' }, settings: { M: { nickname: { S: 'Papa' } } } })
    expect(Item).not.toHaveProperty('ttl')
  })

  test('records of another kind under the same broker are no accounts', async () => {
    await states.replace(state)
    const Item = { pk: { S: 'broker#fyers' }, sk: { S: 'login#1' }, ttl: { N: '1795392000' } }
    await client.send(new PutItemCommand({ TableName: table, Item }))
    expect(await list()).toEqual(['fyers/papa'])
  })

  test('a record that was spoilt by hand is named', async () => {
    await client.send(
      new PutItemCommand({ TableName: table, Item: { ...Key, notBefore: { S: 'tomorrow' } } }),
    )
    const spoilt = { name: 'StateStoreError', message: expect.stringContaining('account#fyers/papa') }
    await expect(states.get(state.account)).rejects.toMatchObject(spoilt)
    await expect(list()).rejects.toMatchObject(spoilt)
  })

  test('a table that is not there is named, with what to do', async () => {
    const nowhere = dynamoStateStore({ client, table: 'Tokenkeeper-nowhere' })
    await expect(nowhere.get(state.account)).rejects.toMatchObject({
      name: 'StateStoreError',
      fix: expect.stringContaining('there is no table Tokenkeeper-nowhere'),
    })
  })
})
