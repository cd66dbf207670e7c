import {
  type AttributeValue,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb'
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb'
import { Temporal } from 'temporal-polyfill'
import { dynamoCalls } from './dynamo-calls.ts'

/** Of each broker, in a partition of its own, so that its function can be kept out of the others'. */
const RUNS = 'runs'
const LAST = 'scheduled'
const WATCHED = 'watched'

/** Which schedules of a broker are watched, and since when. */
export interface WatchedSchedules {
  readonly schedules: readonly string[]
  readonly timeZone: string
  /** ISO 8601 in UTC. */
  readonly since: string
}

/** When the scheduled runs of each broker began, and what the daily check remembers of their schedules. */
export interface ScheduledRuns {
  /** Writes down that the schedule started a run over every account. Throws StateStoreError. */
  started(broker: string, at: Temporal.Instant): Promise<void>
  /** When it last did; `undefined` where it never has. Throws StateStoreError. */
  lastStart(broker: string): Promise<Temporal.Instant | undefined>
  /** What was last given to {@link watch}. Throws StateStoreError. */
  watched(): Promise<Readonly<Record<string, WatchedSchedules>>>
  watch(schedules: Readonly<Record<string, WatchedSchedules>>): Promise<void>
}

/** Scheduled runs in the state table, beside the accounts. */
export function dynamoScheduledRuns(client: DynamoDBClient, table: string): ScheduledRuns {
  const guarded = dynamoCalls(table)
  const read = async (key: Record<string, AttributeValue>) => {
    const command = new GetItemCommand({ TableName: table, Key: key, ConsistentRead: true })
    const { Item } = await guarded('GetItem', client.send(command))
    return Item && unmarshall(Item)
  }
  const write = async (item: Record<string, AttributeValue>): Promise<void> => {
    await guarded('PutItem', client.send(new PutItemCommand({ TableName: table, Item: item })))
  }

  return {
    started: (broker, at) => write(marshall({ ...lastOf(broker), at: at.toString() })),
    async lastStart(broker) {
      const item = await read(marshall(lastOf(broker)))
      return item && Temporal.Instant.from(String(item['at']))
    },
    async watched() {
      const item = await read(marshall({ pk: RUNS, sk: WATCHED }))
      return (item?.['brokers'] ?? {}) as Readonly<Record<string, WatchedSchedules>>
    },
    watch: (brokers) => write(marshall({ pk: RUNS, sk: WATCHED, brokers })),
  }
}

function lastOf(broker: string) {
  return { pk: `${RUNS}#${broker}`, sk: LAST }
}
