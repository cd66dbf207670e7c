import { readFileSync } from 'node:fs'
import { DynamoDBClient, ListTablesCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { GetFunctionConfigurationCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { SSMClient } from '@aws-sdk/client-ssm'
import { marshall } from '@aws-sdk/util-dynamodb'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { ssmTokenVault } from '../../lib/aws/ssm-token-vault.ts'
import { parametersBelow as described } from '../../lib/aws/stored-parameters.ts'
import { parseAccountId } from '../../lib/model/account-id.ts'
import type { SecretName } from '../../lib/model/secrets/secret-name.ts'
import { storedValue } from '../../lib/ports/token-vault.ts'
import { systemClock } from '../../lib/system-clock.ts'
import { Deployment, NAMES, PREFIX } from './support/deployment.ts'
import { parametersBelow } from './support/deployment-aws.ts'
import { APP, type Brokers, startBrokers, USERS } from './support/deployment-brokers.ts'
import { record } from './support/deployment-evidence.ts'

/** Two deployments in a row, on a machine that is busy. */
vi.setConfig({ testTimeout: 180_000 })

const STACK = 'TokenkeeperE2E'
const file = (path: string): unknown => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'))
/** An account with every field a record of 0.1 had; it is managed elsewhere, so that no run changes it. */
const KEPT = file('../model/state/from-0.1/dynamodb-item.json') as Record<string, { S: string }>
const LIVE = 'fyers/live'

let stack: Deployment<Brokers>
/** The key of the stack of 0.1. */
let firstKey: string

beforeAll(async () => {
  stack = await Deployment.make(fyersAlone, async (deployment) => {
    await deployment.aws.createStack(STACK, file('upgrade/stack-0.1.json') as object)
    firstKey = await keyOfFunction()
    await storeAsOf01(deployment.brokers)
    deployment.configure({ customerManagedKey: true })
  })
}, 180_000)

afterAll(() => stack?.close())

/** Each deployment here bundles every function there is. */
async function fyersAlone(): Promise<Brokers> {
  const brokers = await startBrokers()
  const { fyers = {} } = brokers.settings
  return { ...brokers, settings: { fyers } }
}

/** What functions are told to encrypt under. */
async function keyOfFunction(): Promise<string> {
  const FunctionName = NAMES.function('fyers')
  const { Environment } = await new LambdaClient().send(new GetFunctionConfigurationCommand({ FunctionName }))
  return Environment?.Variables?.['TOKENKEEPER_KEY_ID'] ?? 'aws/ssm'
}

/** Secrets and records as 0.1 has stored them. */
async function storeAsOf01({ fyers }: Brokers): Promise<void> {
  const vault = ssmTokenVault({
    client: new SSMClient(),
    prefix: PREFIX,
    clock: systemClock,
    keyId: firstKey,
  })
  const secrets = {
    client_id: APP.clientId,
    client_secret: APP.secret,
    pin: USERS.one.pin,
    refresh_token: fyers.refreshTokenFor(USERS.one.fyId, 1),
  }
  for (const [name, value] of Object.entries(secrets)) {
    for (const account of ['fyers', LIVE]) {
      await vault.write(parseAccountId(account), name as SecretName, storedValue(name as SecretName, value))
    }
  }
  const table = { TableName: NAMES.table }
  const live = { account: LIVE, revision: 1, settings: {}, generation: 0, attempts: [], blocks: {} }
  const client = new DynamoDBClient()
  await client.send(new PutItemCommand({ ...table, Item: KEPT }))
  const keys = { pk: 'broker#fyers', sk: `account#${LIVE}` }
  await client.send(new PutItemCommand({ ...table, Item: marshall({ ...live, ...keys }) }))
}

/** How many secrets lie under which key. */
async function keys(): Promise<Readonly<Record<string, number>>> {
  const secure = (await described(new SSMClient(), PREFIX, systemClock)).filter(({ isSecure }) => isSecure)
  return Object.fromEntries(
    [...Map.groupBy(secure, ({ keyId = '' }) => keyId.replace(/^.*key\//, ''))].map(([key, all]) => [
      key,
      all.length,
    ]),
  )
}

/** Everything stored is readable: by the functions, which read all of an account in one call, and by the command line. */
async function expectAllReadable(): Promise<void> {
  const { results } = await stack.invoke('fyers', { accounts: [LIVE] })
  expect(results).toMatchObject([{ account: LIVE, success: true, live: true }])
  const { code, stdout, stderr } = await stack.tokenkeeper(['status', '--json'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const { accounts } = JSON.parse(stdout) as { accounts: { account: string; nickname?: string }[] }
  expect(accounts.map(({ account }) => account)).toEqual(['fyers', LIVE])
  expect(await record('fyers')).toMatchObject({ generation: 41, settings: { managedBy: 'external' } })
  const pins = await parametersBelow(PREFIX)
  expect(['fyers/pin', `${LIVE}/pin`].map((name) => pins.get(`${PREFIX}/${name}`)?.Value)).toEqual([
    USERS.one.pin,
    USERS.one.pin,
  ])
}

/** Deploys with these settings, as `npm run deploy` does: what is asked before is asked here. */
async function switchTo(settings: object): Promise<void> {
  stack.configure(settings)
  const { code, stderr } = await stack.tokenkeeper(['vault', 'check'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  await stack.deploy()
}

async function tables(): Promise<readonly string[]> {
  return (await new DynamoDBClient().send(new ListTablesCommand({}))).TableNames ?? []
}

const arnOf = (id: string): string => `arn:aws:kms:us-east-1:000000000000:key/${id}`

describe('a stack of 0.1', () => {
  test('is upgraded in place: its key, its table and everything in them stay', async () => {
    expect(firstKey).toMatch(/^[0-9a-f-]{36}$/)
    expect(await keyOfFunction()).toBe(firstKey)
    expect((await parametersBelow(PREFIX)).get(`${PREFIX}/owner`)).toMatchObject({
      Type: 'String',
      Value: STACK,
    })
    const { results } = await stack.invoke('fyers', { accounts: [LIVE] })
    expect(results).toMatchObject([{ account: LIVE, outcome: 'refreshed' }])
    await expectAllReadable()
    expect(await keys()).toEqual({ [firstKey]: 9 })
    const { stdout } = await stack.tokenkeeper(['doctor', '--verbose'])
    expect(stdout).toContain(`pass  prefix: ${PREFIX} belongs to ${STACK}`)
    expect(stdout).toContain(`pass  keys: 9 secrets, all of them under ${firstKey}`)
    expect(stdout).toMatch(/pass {2}secrets of fyers: \S+ opens, under /)
    expect(stdout).toContain(`pass  parameters: 10 parameters below ${PREFIX}, 0 of them Advanced`)
  })
})

describe('the key', () => {
  test('is not given up unsaid: the check before a deployment names what to write', async () => {
    stack.configure({ customerManagedKey: false })
    const { code, stderr } = await stack.tokenkeeper(['vault', 'check'])
    expect(code).toBe(5)
    expect(stderr).toContain(`secrets lie under the key ${arnOf(firstKey)}, and no function could open them`)
    expect(stderr).toContain(`"previousKeyArns": ["${arnOf(firstKey)}"]`)
    const early = await stack.tokenkeeper(['vault', 're-encrypt'])
    expect(early).toMatchObject({ code: 5, stderr: expect.stringContaining('deploy first') })
    expect(await keys()).toEqual({ [firstKey]: 9 })
  })

  test('is given up for aws/ssm, and what lies under it stays readable', async () => {
    await switchTo({ customerManagedKey: false, previousKeyArns: [arnOf(firstKey)] })
    expect(await keyOfFunction()).toBe('aws/ssm')
    expect(await stack.aws.keyState(firstKey)).toBe('Enabled')
    await expectAllReadable()
    expect((await stack.tokenkeeper(['put', LIVE, 'pin'], USERS.one.pin)).code).toBe(0)
    expect(await keys()).toEqual({ [firstKey]: 8, 'alias/aws/ssm': 1 })
  })

  test('is left by every secret, which is told before and after, and is news to no run', async () => {
    const dry = await stack.tokenkeeper(['vault', 're-encrypt', '--dry-run'])
    expect(dry.stdout).toContain('8 secrets would be stored again under alias/aws/ssm')
    expect(await keys()).toEqual({ [firstKey]: 8, 'alias/aws/ssm': 1 })
    const { code, stdout } = await stack.tokenkeeper(['vault', 're-encrypt', '--writes-per-second', '50'])
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(
        '8 secrets were stored again under alias/aws/ssm, 1 were there already.',
      ),
    })
    expect(await keys()).toEqual({ 'alias/aws/ssm': 9 })
    const { results } = await stack.invoke('fyers', { accounts: [LIVE] })
    expect(results).toMatchObject([{ outcome: 'fresh' }])
    const again = await stack.tokenkeeper(['vault', 're-encrypt'])
    expect(again.stdout).toContain('All 9 secrets lie under alias/aws/ssm: nothing to do.')
    await switchTo({})
    await expectAllReadable()
  })

  test('can be one that exists, and a new one of the stack’s own', async () => {
    await switchTo({ keyArn: arnOf(firstKey) })
    expect(await keyOfFunction()).toBe(arnOf(firstKey))
    expect((await stack.tokenkeeper(['vault', 're-encrypt', '--writes-per-second', '50'])).code).toBe(0)
    await expectAllReadable()
    expect(await keys()).toEqual({ [firstKey]: 9 })
    await switchTo({ customerManagedKey: true, previousKeyArns: [arnOf(firstKey)] })
    expect(await keyOfFunction()).not.toContain(firstKey)
    await expectAllReadable()
  })
})

describe('every other option', () => {
  const OWN = () => ({ customerManagedKey: true, previousKeyArns: [arnOf(firstKey)] })

  test('can be switched off and on', async () => {
    await switchTo({
      ...OWN(),
      events: false,
      site: { enabled: false },
      alertEmails: [],
      logRetentionDays: 7,
    })
    await expectAllReadable()
    await switchTo(OWN())
    await expectAllReadable()
  })

  test('prefix is not renamed: nothing would be found below another one', async () => {
    stack.configure({ ...OWN(), prefix: '/elsewhere' })
    const { code, stderr } = await stack.tokenkeeper(['vault', 'check'])
    expect(code).toBe(5)
    expect(stderr).toContain(`keeps its secrets below ${PREFIX}, and cdk.json says /elsewhere`)
  })

  test('stackName is not renamed while the stack is there: its secrets are its own', async () => {
    stack.configure({ ...OWN(), stackName: 'Another' })
    const check = await stack.tokenkeeper(['vault', 'check'])
    expect(check).toMatchObject({
      code: 5,
      stderr: expect.stringContaining(
        `the parameters below ${PREFIX} belong to the stack ${STACK}, and this is the stack Another`,
      ),
    })
  })

  test('prefix belongs to one stack: CloudFormation refuses another one, and this one is as it was', async () => {
    stack.configure({ stackName: 'Another' })
    await expect(stack.deploy()).rejects.toThrow(/PrefixOwner/)
    expect((await parametersBelow(PREFIX)).get(`${PREFIX}/owner`)?.Value).toBe(STACK)
    stack.configure(OWN())
    await expectAllReadable()
  })
})

describe('a stack that is destroyed', () => {
  test('leaves secrets, records and key, gives its prefix back, and is deployed again around them', async () => {
    stack.configure({ customerManagedKey: true, previousKeyArns: [arnOf(firstKey)] })
    const key = await keyOfFunction()
    expect((await stack.tokenkeeper(['put', LIVE, 'pin'], USERS.one.pin)).code).toBe(0)
    expect(Object.keys(await keys())).toContain(key)
    await expect(stack.destroy()).rejects.toThrow(/Termination/)
    stack.configure({
      customerManagedKey: true,
      previousKeyArns: [arnOf(firstKey)],
      deletionProtection: false,
    })
    await stack.deploy()
    await stack.destroy()
    expect(await tables()).toEqual([NAMES.table])
    expect(await stack.aws.keyState(key)).toBe('Enabled')
    expect((await parametersBelow(PREFIX)).has(`${PREFIX}/owner`)).toBe(false)

    // The stack has a new key of its own each time it is made.
    stack.configure({ customerManagedKey: true })
    const unsaid = await stack.tokenkeeper(['vault', 'check'])
    expect(unsaid.code).toBe(5)
    expect(unsaid.stderr).toMatch(
      /lies under the key \S+, which cdk.json does not name: no function could open it/,
    )
    expect(unsaid.stderr).toMatch(
      /add "arn:aws:kms:us-east-1:000000000000:key\/[0-9a-f-]{36}" to previousKeyArns/,
    )
    const previousKeyArns = [...new Set([firstKey, key])].map(arnOf)
    stack.configure({ customerManagedKey: true, previousKeyArns })
    const told = await stack.tokenkeeper(['vault', 'check'])
    expect(told).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('npm run deploy -- --import-existing-resources'),
    })
    await stack.deploy('--import-existing-resources')
    expect(previousKeyArns).not.toContain(arnOf(await keyOfFunction()))
    await expectAllReadable()
  })
})
