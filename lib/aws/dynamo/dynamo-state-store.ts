import { isDeepStrictEqual } from 'node:util'
import {
  type AttributeValue,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
} from '@aws-sdk/client-dynamodb'
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb'
import { type AccountId, brokerOf } from '../../model/account-id.ts'
import { type AccountState, decodeAccountState, encodeAccountState } from '../../model/account-state.ts'
import { readable } from '../../model/state/readable.ts'
import type { Replaced, StateStore } from '../../ports/state-store.ts'
import { attemptsOf } from '../aws-fault.ts'
import { dynamoCalls } from './dynamo-calls.ts'

/** Records per page of a list, which is what is in memory at a time. */
const PAGE_RECORDS = 100
/** The beginning of the sort keys of account records; a broker's partition may hold others. */
const ACCOUNT_KEYS = 'account#'

type Item = Record<string, AttributeValue>

export interface DynamoStateStoreOptions {
  readonly client: DynamoDBClient
  readonly table: string
}

/**
 * The state store in one DynamoDB table with the keys `pk` and `sk`. A record's fields are attributes, so
 * that a person can read it in the console; `ttl` is never set on it.
 *
 * It uses the plain client and its converters, since the document client does not decode the record that
 * comes with a failed condition.
 */
export function dynamoStateStore({ client, table }: DynamoStateStoreOptions): StateStore {
  const guarded = dynamoCalls(table)

  return {
    async *list(broker) {
      let from: Item | undefined
      let unreadable: unknown
      do {
        const { Items = [], LastEvaluatedKey } = await guarded(
          'Query',
          client.send(
            new QueryCommand({
              TableName: table,
              ConsistentRead: true,
              KeyConditionExpression: 'pk = :broker AND begins_with(sk, :accounts)',
              ExpressionAttributeValues: marshall({
                ':broker': partition(broker),
                ':accounts': ACCOUNT_KEYS,
              }),
              Limit: PAGE_RECORDS,
              ExclusiveStartKey: from,
            }),
          ),
        )
        try {
          yield* readable(Items, decoded)
        } catch (error) {
          unreadable ??= error
        }
        from = LastEvaluatedKey
      } while (from !== undefined)
      if (unreadable !== undefined) throw unreadable
    },
    async get(account) {
      const { Item } = await guarded(
        'GetItem',
        client.send(new GetItemCommand({ TableName: table, Key: keyOf(account), ConsistentRead: true })),
      )
      return Item && decoded(Item)
    },
    async replace(next): Promise<Replaced> {
      const isNew = next.revision === 1
      try {
        await guarded(
          'PutItem',
          client.send(
            new PutItemCommand({
              TableName: table,
              Item: { ...marshall(encodeAccountState(next)), ...keyOf(next.account) },
              ConditionExpression: isNew ? 'attribute_not_exists(pk)' : 'revision = :before',
              ...(!isNew && { ExpressionAttributeValues: marshall({ ':before': next.revision - 1 }) }),
              // So that the current record comes with the refusal, without another read.
              ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
            }),
          ),
        )
        return { written: true }
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error
        const current = error.Item && decoded(error.Item)
        return current && isOwnWrite(error, current, next) ? { written: true } : { written: false, current }
      }
    },
    async remove(account) {
      await guarded(
        'DeleteItem',
        client.send(new DeleteItemCommand({ TableName: table, Key: keyOf(account) })),
      )
    },
  }
}

/**
 * Whether the stored record is this very write: the SDK repeats a write whose answer was lost, and the repeat
 * then finds the first one there. That is no lost race.
 */
function isOwnWrite(error: unknown, current: AccountState, next: AccountState): boolean {
  return attemptsOf(error) > 1 && isDeepStrictEqual(encodeAccountState(current), encodeAccountState(next))
}

function keyOf(account: AccountId): Item {
  return marshall({ pk: partition(brokerOf(account)), sk: `${ACCOUNT_KEYS}${account}` })
}

function partition(broker: string): string {
  return `broker#${broker}`
}

function decoded(item: Item): AccountState {
  const { pk, sk, ...record } = unmarshall(item)
  const account = String(sk).slice(ACCOUNT_KEYS.length)
  return decodeAccountState(record, {
    name: `${sk} of ${pk}`,
    fix: `it was changed by hand: put it right in the DynamoDB console, or remove it and set the account up again: tokenkeeper setup ${account}`,
  })
}
