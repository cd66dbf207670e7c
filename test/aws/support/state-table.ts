import { randomUUID } from 'node:crypto'
import { CreateTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb'

/** An empty table with the keys of the stack's state table. Gives its name. */
export async function newStateTable(
  client: DynamoDBClient,
  table = `Tokenkeeper-state-${randomUUID()}`,
): Promise<string> {
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
