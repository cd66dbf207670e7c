import { readFileSync } from 'node:fs'
import { marshall } from '@aws-sdk/util-dynamodb'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { dynamoDbClient } from '../../lib/aws/clients.ts'
import { dynamoStateStore } from '../../lib/aws/dynamo/dynamo-state-store.ts'
import { parseAccountId } from '../../lib/model/account-id.ts'
import {
  type AccountState,
  changed,
  encodeAccountState,
  newAccountState,
} from '../../lib/model/account-state.ts'
import type { StateStore } from '../../lib/ports/state-store.ts'
import { useEnvironment } from '../aws/support/emulator.ts'
import { OF_0_1 } from '../model/state/support/of-0.1.ts'
import { endsWithin } from '../support/ends-within.ts'
import { freePort } from '../support/free-port.ts'
import { shown } from '../support/shown.ts'
import { refusal, ScriptedAws } from './support/scripted-aws.ts'

const STATE = changed(newAccountState(parseAccountId('fyers')), { generation: 4 })

let aws: ScriptedAws
let states: StateStore

beforeEach(async () => {
  aws = await ScriptedAws.start()
  states = dynamoStateStore({ client: dynamoDbClient(), table: 'Tokenkeeper-state' })
})

afterEach(() => aws.close())

const conditionFailed = (found: AccountState) =>
  refusal('ConditionalCheckFailedException', 'The conditional request failed', 400, {
    Item: marshall({ pk: 'broker#fyers', sk: 'account#fyers', ...encodeAccountState(found) }),
  })

describe('a write whose answer was lost', () => {
  test('is not taken for a lost race when its repeat finds it done', async () => {
    aws.answers = ['connection lost', conditionFailed(STATE)]
    expect(await states.replace(STATE)).toEqual({ written: true })
    expect(aws.seen).toHaveLength(2)
  })

  test('is a lost race when its repeat finds somebody else’s record', async () => {
    const other = { ...STATE, generation: 5 }
    aws.answers = ['connection lost', conditionFailed(other)]
    expect(await states.replace(STATE)).toMatchObject({ written: false, current: { generation: 5 } })
  })
})

test('a first write that finds the very same record has lost: another writer made it', async () => {
  aws.answers = [conditionFailed(STATE)]
  expect(await states.replace(STATE)).toMatchObject({ written: false, current: { generation: 4 } })
})

test.each(['ThrottlingException', 'ProvisionedThroughputExceededException', 'InternalServerError'])(
  '%s is sat out',
  async (name) => {
    aws.answers = [refusal(name, '', name === 'InternalServerError' ? 500 : 400), {}]
    expect(await states.replace(STATE)).toEqual({ written: true })
    expect(aws.seen).toHaveLength(2)
  },
)

test('a role without the right is told which action on which table', async () => {
  aws.answers = [refusal('AccessDeniedException', 'not authorized')]
  await expect(states.get(STATE.account)).rejects.toMatchObject({
    name: 'StateStoreError',
    fix: 'allow dynamodb:GetItem on table Tokenkeeper-state for the role or user that runs this',
  })
  await expect(states.list('fyers')[Symbol.asyncIterator]().next()).rejects.toMatchObject({
    fix: expect.stringContaining('dynamodb:Query'),
  })
  await expect(states.remove(STATE.account)).rejects.toMatchObject({
    fix: expect.stringContaining('dynamodb:DeleteItem'),
  })
})

test('a record changed by hand is told with the command that sets that account up again, whoever lists it', async () => {
  const spoiled = marshall({
    pk: 'broker#fyers',
    sk: 'account#fyers/BINA',
    ...encodeAccountState({ ...STATE, account: parseAccountId('fyers/BINA') }),
    doubt: { since: 'yesterday', by: 'login' },
  })
  aws.answers = [{ body: { Item: spoiled } }, { body: { Items: [spoiled], Count: 1 } }]
  const told = {
    message: 'the state record account#fyers/BINA of broker#fyers cannot be read: doubt.since is no instant',
    fix: expect.stringMatching(/: tokenkeeper setup fyers\/BINA$/),
  }
  await expect(states.get(parseAccountId('fyers/BINA'))).rejects.toMatchObject(told)
  await expect(states.list('fyers')[Symbol.asyncIterator]().next()).rejects.toMatchObject(told)
})

test('an item of 0.1 is read with every field as it was', async () => {
  const item = new URL('../model/state/from-0.1/dynamodb-item.json', import.meta.url)
  aws.answers = [{ body: { Item: JSON.parse(readFileSync(item, 'utf8')) } }]
  expect(shown(await states.get(OF_0_1.account))).toEqual(shown(OF_0_1))
})

test('an unreachable table fails within seconds, and says what to check', async () => {
  const restore = useEnvironment(`http://127.0.0.1:${await freePort()}`)
  const unreachable = dynamoStateStore({ client: dynamoDbClient(), table: 'Tokenkeeper-state' })
  const answer = endsWithin(10_000, () => unreachable.get(STATE.account))
  await expect(answer).rejects.toMatchObject({
    name: 'StateStoreError',
    message: expect.stringContaining('ECONNREFUSED'),
    fix: expect.stringContaining('VPC'),
  })
  restore()
})

test('a table that accepts and stays silent is asked again after five seconds', async () => {
  aws.answers = ['no answer', {}]
  expect(await endsWithin(7_000, () => states.get(STATE.account))).toBeUndefined()
  expect(aws.seen).toHaveLength(2)
})
