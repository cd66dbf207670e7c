import { GetParameterCommand, PutParameterCommand } from '@aws-sdk/client-ssm'
import { beforeEach, describe, expect, test } from 'vitest'
import { ssmClient } from '../../lib/aws/clients.ts'
import { ssmTokenVault } from '../../lib/aws/ssm-token-vault.ts'
import { parseAccountId } from '../../lib/model/account-id.ts'
import { Secret } from '../../lib/model/secrets/secret.ts'
import { systemClock } from '../../lib/system-clock.ts'
import { tokenVaultContract } from '../contracts/token-vault-contract.ts'
import { callsOf } from './support/calls.ts'
import { withMoto } from './support/moto-world.ts'

withMoto()

const clock = systemClock
let vaults = 0
/** A prefix of its own is an empty vault. */
const newPrefix = () => `/stock-pipeline/test-${++vaults}`

tokenVaultContract('the SSM vault', async () => ({
  vault: ssmTokenVault({ client: ssmClient(), prefix: newPrefix(), clock }),
  now: () => clock.now(),
}))

describe('the SSM vault', () => {
  const fyers = parseAccountId('fyers')
  const iifl = parseAccountId('iifl/28748327')
  const value = new Secret('value-0123456789')
  let client: ReturnType<typeof ssmClient>
  let calls: string[]
  let prefix: string
  let vault: ReturnType<typeof ssmTokenVault>

  beforeEach(() => {
    client = ssmClient()
    calls = callsOf(client)
    prefix = newPrefix()
    vault = ssmTokenVault({ client, prefix, clock })
  })

  const parameter = async (path: string) =>
    (await ssmClient().send(new GetParameterCommand({ Name: `${prefix}${path}`, WithDecryption: true })))
      .Parameter

  test('R2.10 R3.3 stores each secret as a SecureString where consumers look for it', async () => {
    await vault.write(fyers, 'access_token', value)
    await vault.write(iifl, 'access_token', value)
    expect(await parameter('/fyers/access_token')).toMatchObject({
      Type: 'SecureString',
      Value: value.reveal(),
    })
    expect(await parameter('/iifl/28748327/access_token')).toMatchObject({ Type: 'SecureString' })
  })

  test('a read is one GetParameters however many names it has, a write one PutParameter', async () => {
    await vault.write(fyers, 'access_token', value, { deadline: clock.now().add({ seconds: 30 }) })
    await vault.write(fyers, 'pin', value)
    await vault.read(fyers, ['access_token', 'pin', 'refresh_token', 'client_id', 'client_secret'])
    await vault.read(fyers, [])
    await vault.remove(fyers, 'pin')
    expect(calls).toEqual(['PutParameter', 'PutParameter', 'GetParameters', 'DeleteParameter'])
  })

  test('lets SSM choose the tier, so that a token over 4096 bytes fits, and encrypts under the key it is told', async () => {
    const sent: object[] = []
    client.middlewareStack.add(
      (next) => (args) => {
        sent.push(args.input)
        return next(args)
      },
      { step: 'initialize' },
    )
    await vault.write(fyers, 'access_token', value)
    await ssmTokenVault({ client, prefix, clock, keyId: 'alias/tokenkeeper' }).write(fyers, 'pin', value)
    expect(sent).toMatchObject([{ Tier: 'Intelligent-Tiering' }, { KeyId: 'alias/tokenkeeper' }])
    expect(sent[0]).not.toHaveProperty('KeyId')
    expect(sent[0]).not.toHaveProperty('Tags')
  })

  test('reads a parameter that an older set-up stored as plain text', async () => {
    const Name = `${prefix}/fyers/client_id`
    await ssmClient().send(new PutParameterCommand({ Name, Value: 'ABCDEFGH12-100', Type: 'String' }))
    expect((await vault.read(fyers, ['client_id'])).get('client_id')?.value.reveal()).toBe('ABCDEFGH12-100')
  })
})
