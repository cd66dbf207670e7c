import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb'
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb'
import type { MarketDaysStore } from '../../ports/market-days.ts'
import { dynamoCalls } from './dynamo-calls.ts'

/** A partition of its own, which every broker's function may read: infra/constructs/broker/permissions.ts names it too. */
const KEY = { pk: 'markets', sk: 'days' }

export interface DynamoMarketDaysOptions {
  readonly client: DynamoDBClient
  readonly table: string
}

/** What the owner says of single days: one item of the state table, which holds whatever is no secret. */
export function dynamoMarketDays({ client, table }: DynamoMarketDaysOptions): MarketDaysStore {
  const guarded = dynamoCalls(table)
  return {
    async read() {
      // Not consistently: whoever changes it does so days ahead.
      const { Item } = await guarded(
        'GetItem',
        client.send(new GetItemCommand({ TableName: table, Key: marshall(KEY) })),
      )
      if (!Item) return undefined
      const { days, revision } = unmarshall(Item)
      return { days, revision: Number(revision) }
    },
    async replace(days, before) {
      const item = { ...KEY, days, revision: before + 1 }
      try {
        await guarded(
          'PutItem',
          client.send(
            new PutItemCommand({
              TableName: table,
              Item: marshall(item, { removeUndefinedValues: true }),
              ConditionExpression: before === 0 ? 'attribute_not_exists(pk)' : 'revision = :before',
              ...(before > 0 && { ExpressionAttributeValues: marshall({ ':before': before }) }),
            }),
          ),
        )
        return true
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return false
        throw error
      }
    },
  }
}
