import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  paginateQuery,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb'
import { type ApiKey, decodeApiKey, encodeApiKey } from '../../model/api-key.ts'
import { StateStoreError } from '../../model/errors.ts'
import type { ApiKeys } from '../../ports/api-keys.ts'
import { dynamoCalls } from './dynamo-calls.ts'

/**
 * All keys are in one partition: there are few, and a person lists them. A broker's partition has another
 * form of name.
 */
const PARTITION = 'keys'
const KEYS = 'key#'

type Item = Record<string, AttributeValue>

export interface DynamoApiKeysOptions {
  readonly client: DynamoDBClient
  readonly table: string
}

/** The API keys in the state table: one item per key, its fields as attributes. */
export function dynamoApiKeys({ client, table }: DynamoApiKeysOptions): ApiKeys {
  const guarded = dynamoCalls(table)

  const all = async (): Promise<readonly Item[]> => {
    const pages = paginateQuery(
      { client },
      {
        TableName: table,
        ConsistentRead: true,
        KeyConditionExpression: 'pk = :keys AND begins_with(sk, :key)',
        ExpressionAttributeValues: marshall({ ':keys': PARTITION, ':key': KEYS }),
      },
    )
    const items: Item[] = []
    for await (const { Items = [] } of pages) items.push(...Items)
    return items
  }

  return {
    async create(key) {
      const command = new PutItemCommand({
        TableName: table,
        Item: { ...marshall(encodeApiKey(key)), ...keyOf(key.id) },
        ConditionExpression: 'attribute_not_exists(pk)',
      })
      try {
        await guarded('PutItem', client.send(command))
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error
        throw new StateStoreError(`there is a key ${key.id} already`, { fix: 'make the key again' })
      }
    },
    // Decoded outside: an item that cannot be read is no fault of the call.
    list: async () => (await guarded('Query', all())).map(decoded).toSorted(byAge),
    async find(id) {
      const command = new GetItemCommand({ TableName: table, Key: keyOf(id), ConsistentRead: true })
      const { Item } = await guarded('GetItem', client.send(command))
      return Item && decoded(Item)
    },
    async revoke(id, at) {
      const command = new UpdateItemCommand({
        TableName: table,
        Key: keyOf(id),
        ConditionExpression: 'attribute_exists(pk)',
        UpdateExpression: 'SET revokedAt = if_not_exists(revokedAt, :at)',
        ExpressionAttributeValues: marshall({ ':at': at.toString() }),
        ReturnValues: 'ALL_NEW',
      })
      try {
        const { Attributes } = await guarded('UpdateItem', client.send(command))
        return Attributes && decoded(Attributes)
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return undefined
        throw error
      }
    },
  }
}

function keyOf(id: string): Item {
  return marshall({ pk: PARTITION, sk: `${KEYS}${id}` })
}

function byAge(a: ApiKey, b: ApiKey): number {
  return a.createdAt.epochMilliseconds - b.createdAt.epochMilliseconds || (a.id < b.id ? -1 : 1)
}

function decoded(item: Item): ApiKey {
  const { pk, sk, ...record } = unmarshall(item)
  try {
    return decodeApiKey(record)
  } catch (cause) {
    throw new StateStoreError(`the record ${sk} of ${pk} cannot be read`, {
      cause,
      fix: 'it was changed by hand: revoke that key, or remove the item in the DynamoDB console',
    })
  }
}
