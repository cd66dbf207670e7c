import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { devNull, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { resourceNames } from '../../lib/resource-names.ts'
import { runNode } from './support/deployment-processes.ts'
import { type Emulator, emulatorEnvironment, useEnvironment } from './support/emulator.ts'
import { startMoto } from './support/moto-server.ts'
import { newStateTable } from './support/state-table.ts'

const NODE = ['--disable-warning=ExperimentalWarning', resolve(import.meta.dirname, '../../lib/cli/main.ts')]
/** Another region than the one moto's tests use. */
const REGION = 'ap-south-1'
const STACK = 'TokenkeeperOfAProfile'

let moto: Emulator
let restore: () => void
let folder: string
beforeAll(async () => {
  moto = await startMoto()
  restore = useEnvironment(moto.endpoint)
  folder = mkdtempSync(join(tmpdir(), 'tokenkeeper-profile-'))
  const dynamoDb = new DynamoDBClient({ region: REGION })
  await newStateTable(dynamoDb, resourceNames(STACK).table)
  dynamoDb.destroy()
})
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  restore?.()
  await moto?.stop()
})

test('R3.7 AWS_PROFILE and AWS_REGION lead setup to an account, with the variables of the FYERS guide', async () => {
  const profile = [
    '[profile work]',
    `endpoint_url = ${moto.endpoint}`,
    'aws_access_key_id = test',
    'aws_secret_access_key = test',
  ]
  writeFileSync(join(folder, 'aws-config'), `${profile.join('\n')}\n`)
  const tokenkeeper = {
    stackName: STACK,
    prefix: '/stock-pipeline',
    site: { enabled: false },
    brokers: { fyers: {} },
  }
  const config = join(folder, 'cdk.json')
  writeFileSync(config, JSON.stringify({ context: { tokenkeeper } }))
  const { AWS_EC2_METADATA_DISABLED = '' } = emulatorEnvironment(moto.endpoint)
  const { code, stdout, stderr } = await runNode(
    [...NODE, 'setup', 'fyers', '--backend', 'aws', '--config', config, '--no-refresh'],
    {
      cwd: folder,
      signal: AbortSignal.timeout(30_000),
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: folder,
        AWS_EC2_METADATA_DISABLED,
        AWS_CONFIG_FILE: join(folder, 'aws-config'),
        AWS_SHARED_CREDENTIALS_FILE: devNull,
        AWS_PROFILE: 'work',
        AWS_REGION: REGION,
        FYERS_CLIENT_ID: 'ABCDEFGH12-100',
        FYERS_APP_SECRET: 'S3CRET-FYERS-APP',
      },
    },
  )
  expect({ code, stdout, stderr }).toMatchObject({ code: 0, stderr: '' })
  const ssm = new SSMClient({ region: REGION })
  const stored = await ssm.send(
    new GetParameterCommand({ Name: '/stock-pipeline/fyers/client_id', WithDecryption: true }),
  )
  ssm.destroy()
  expect(stored.Parameter?.Value).toBe('ABCDEFGH12-100')
})
