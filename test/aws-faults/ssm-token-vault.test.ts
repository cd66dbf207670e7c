import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ssmClient } from '../../lib/aws/clients.ts'
import { ssmTokenVault } from '../../lib/aws/ssm-token-vault.ts'
import { parseAccountId } from '../../lib/model/account-id.ts'
import { TokenVaultError } from '../../lib/model/errors.ts'
import { Secret } from '../../lib/model/secrets/secret.ts'
import type { TokenVault } from '../../lib/ports/token-vault.ts'
import { VirtualClock } from '../../lib/simulators/kit/virtual-clock.ts'
import { systemClock } from '../../lib/system-clock.ts'
import { useEnvironment } from '../aws/support/emulator.ts'
import { endsWithin } from '../support/ends-within.ts'
import { freePort } from '../support/free-port.ts'
import { refusal, ScriptedAws } from './support/scripted-aws.ts'

const ACCOUNT = parseAccountId('fyers')
const CANARY = 'canary-ssm-0123456789'
const WRITTEN = { body: { Version: 7, Tier: 'Standard' } }
const FAULT = refusal('InternalServerError', 'try again', 500)

let aws: ScriptedAws
let clock: VirtualClock
let vault: TokenVault

beforeEach(async () => {
  aws = await ScriptedAws.start()
  clock = new VirtualClock('2026-11-23T07:00:00+05:30')
  vault = ssmTokenVault({ client: ssmClient(), prefix: '/stock-pipeline', clock })
})

afterEach(() => aws.close())

const write = (seconds?: number) =>
  vault.write(
    ACCOUNT,
    'access_token',
    new Secret(CANARY),
    seconds === undefined ? {} : { deadline: clock.now().add({ seconds }) },
  )
const problem = async (work: Promise<unknown>): Promise<TokenVaultError> => {
  const error = await work.then(
    () => undefined,
    (caught: unknown) => caught,
  )
  expect(error).toBeInstanceOf(TokenVaultError)
  return error as TokenVaultError
}

describe('a fault of SSM that passes', () => {
  test.each([
    ['is throttling', refusal('ThrottlingException', 'Rate exceeded')],
    ['is another write under way', refusal('TooManyUpdates')],
    ['is an internal error', FAULT],
    ['is a lost connection', 'connection lost' as const],
  ])('is sat out when it %s, without a deadline too', async (_, fault) => {
    aws.answers = [fault, WRITTEN]
    expect(await write()).toEqual({ version: 7 })
    expect(aws.seen).toHaveLength(2)
  })

  test('does not fail a read either', async () => {
    aws.answers = [refusal('ThrottlingException', 'Rate exceeded'), { body: { Parameters: [] } }]
    expect((await vault.read(ACCOUNT, ['pin'])).size).toBe(0)
    expect(aws.seen).toHaveLength(2)
  })

  test('ends a write without a deadline after three attempts', async () => {
    aws.answers = [FAULT]
    expect(await problem(write())).toMatchObject({ code: 'vault_write' })
    expect(aws.seen).toHaveLength(3)
  })

  test('is sat out until the deadline, with longer and longer pauses', async () => {
    aws.answers = [...Array.from({ length: 10 }, () => FAULT), WRITTEN]
    const before = clock.now()
    expect(await write(60)).toEqual({ version: 7 })
    // Three rounds of three attempts failed, so 0.5 s, 1 s and 2 s passed between them.
    expect(before.until(clock.now()).total('milliseconds')).toBe(3_500)
  })

  test('ends the write when the next pause would pass the deadline', async () => {
    aws.answers = [FAULT]
    const before = clock.now()
    await problem(write(3))
    expect(before.until(clock.now()).total('milliseconds')).toBe(1_500)
  })

  test('is tried once even after the deadline', async () => {
    aws.answers = [WRITTEN]
    expect(await write(-1)).toEqual({ version: 7 })
  })
})

describe('an SSM that does not answer', () => {
  test('is given up at the deadline', async () => {
    aws.answers = ['no answer']
    const real = ssmTokenVault({ client: ssmClient(), prefix: '/stock-pipeline', clock: systemClock })
    const write = () =>
      real.write(ACCOUNT, 'pin', new Secret(CANARY), { deadline: systemClock.now().add({ seconds: 2 }) })
    const error = await endsWithin(4_000, () => problem(write()))
    expect(error.message).toContain('SSM did not answer PutParameter')
  })

  test('fails a read within seconds when nothing listens there, and says what to check', async () => {
    const restore = useEnvironment(`http://127.0.0.1:${await freePort()}`)
    const unreachable = ssmTokenVault({ client: ssmClient(), prefix: '/stock-pipeline', clock })
    const error = await endsWithin(10_000, () => problem(unreachable.read(ACCOUNT, ['pin'])))
    restore()
    expect(error).toMatchObject({ code: 'vault_read', message: expect.stringContaining('ECONNREFUSED') })
    expect(error.fix).toContain('AWS_REGION')
  })
})

describe('an SSM that refuses', () => {
  const denied = (action: string) =>
    refusal(
      'AccessDeniedException',
      `User: arn:aws:sts::123456789012:assumed-role/r/f is not authorized to perform: ${action} on resource: x`,
    )

  test.each([
    [
      'the write itself',
      denied('ssm:PutParameter'),
      'allow ssm:PutParameter on parameter/stock-pipeline/fyers/access_token',
    ],
    ['the key', denied('kms:GenerateDataKey'), 'allow kms:GenerateDataKey on the KMS key'],
    ['without saying what', refusal('AccessDeniedException', ''), 'allow ssm:PutParameter on'],
    ['old credentials', refusal('ExpiredTokenException'), 'sign in to AWS again'],
    ['unknown credentials', refusal('UnrecognizedClientException'), 'sign in to AWS again'],
    ['a key that is gone', refusal('InvalidKeyId'), 'check the KMS key'],
    ['plain text made a secret', refusal('HierarchyTypeMismatchException'), 'exists as plain text'],
    ['the hundredth version', refusal('ParameterMaxVersionLimitExceeded'), 'unlabel-parameter-version'],
  ])('%s is asked once, and the error says what to do', async (_, answer, fix) => {
    aws.answers = [answer]
    const error = await problem(write(60))
    expect(aws.seen).toHaveLength(1)
    expect(error.code).toBe('vault_write')
    expect(error.message).toContain('parameter/stock-pipeline/fyers/access_token')
    expect(error.fix).toContain(fix)
  })

  test('a read names the account’s folder', async () => {
    aws.answers = [denied('ssm:GetParameters')]
    const error = await problem(vault.read(parseAccountId('iifl/28748327'), ['pin']))
    expect(error).toMatchObject({
      code: 'vault_read',
      fix: expect.stringContaining('allow ssm:GetParameters on parameter/stock-pipeline/iifl/28748327/*'),
    })
  })

  test('and repeats the value in its answer does not get it into our error', async () => {
    aws.answers = [
      refusal('ValidationException', `Value '${CANARY}' at 'value' failed to satisfy constraint`),
    ]
    const error = await problem(write())
    const everything = inspect(error, { depth: 9, showHidden: true }) + JSON.stringify(error) + error.fix
    expect(everything).not.toContain(CANARY)
    expect(everything).toContain('ValidationException, HTTP 400, request id request-0001')
  })
})

test('without a region the error says which variable to set', async () => {
  delete process.env['AWS_REGION']
  delete process.env['AWS_DEFAULT_REGION']
  const lost = ssmTokenVault({ client: ssmClient(), prefix: '/stock-pipeline', clock })
  expect((await problem(lost.read(ACCOUNT, ['pin']))).fix).toContain('set AWS_REGION')
})

test('a stale read is passed on with its version, so that its reader can tell', async () => {
  const parameter = {
    Name: '/stock-pipeline/fyers/access_token',
    Value: 'the-one-before',
    Version: 6,
    LastModifiedDate: 1_795_392_000.123,
  }
  aws.answers = [WRITTEN, { body: { Parameters: [parameter], InvalidParameters: [] } }]
  const { version } = await write()
  const found = (await vault.read(ACCOUNT, ['access_token'])).get('access_token')
  expect(found?.version).toBe(version - 1)
  expect(found?.modifiedAt.toString()).toBe('2026-11-23T00:00:00.123Z')
})

test('a value no parameter can hold never reaches SSM', async () => {
  await problem(vault.write(ACCOUNT, 'session', new Secret('x'.repeat(8193))))
  expect(aws.seen).toHaveLength(0)
})

test('AWS sees who calls', async () => {
  aws.answers = [WRITTEN]
  await write()
  expect(aws.seen[0]?.headers['user-agent']).toContain('app/tokenkeeper')
})
