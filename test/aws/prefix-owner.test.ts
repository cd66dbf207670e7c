import { PutParameterCommand } from '@aws-sdk/client-ssm'
import { beforeEach, describe, expect, test } from 'vitest'
import { ssmClient } from '../../lib/aws/clients.ts'
import { ssmTokenVault } from '../../lib/aws/ssm-token-vault.ts'
import { fyers as broker } from '../../lib/brokers/fyers/fyers.ts'
import { parseAccountId } from '../../lib/model/account-id.ts'
import { ConfigurationError } from '../../lib/model/errors.ts'
import { Secret } from '../../lib/model/secrets/secret.ts'
import { SECRET_NAMES } from '../../lib/model/secrets/secret-name.ts'
import { systemClock } from '../../lib/system-clock.ts'
import { World } from '../support/world.ts'
import { callsOf } from './support/calls.ts'
import { withMoto } from './support/moto-world.ts'

withMoto()

const fyers = parseAccountId('fyers')
const value = new Secret('value-0123456789')
let prefixes = 0
let prefix: string
let calls: string[]

beforeEach(() => {
  prefix = `/stock-pipeline/owned-${++prefixes}`
})

/** The vault of a stack, and what it calls from then on. */
function vaultOf(stackName: string) {
  const client = ssmClient()
  calls = callsOf(client)
  return ssmTokenVault({ client, prefix, clock: systemClock, stackName })
}

/** What a deployed stack leaves below its prefix. */
async function ownedBy(stackName: string): Promise<void> {
  await ssmClient().send(
    new PutParameterCommand({ Name: `${prefix}/owner`, Value: stackName, Type: 'String' }),
  )
}

const REFUSED = {
  message: expect.stringMatching(
    /^the parameters below \/stock-pipeline\/owned-\d+ belong to the stack First, and this is the stack Second: nothing was done$/,
  ),
  fix: expect.stringContaining('set stackName in cdk.json to First'),
}

describe('the parameters below a prefix', () => {
  test('are read by the stack they belong to, at no further call', async () => {
    await ownedBy('First')
    const vault = vaultOf('First')
    await vault.write(fyers, 'pin', value)
    const read = await vault.read(fyers, ['pin', 'access_token'])
    expect([...read.keys()]).toEqual(['pin'])
    expect(read.get('pin')?.value.reveal()).toBe(value.reveal())
    await vault.write(fyers, 'pin', value)
    // The first one is the look before a write by somebody who has not read.
    expect(calls).toEqual(['GetParameters', 'PutParameter', 'GetParameters', 'PutParameter'])
  })

  test('are neither read nor written by another stack, which is told both names and what to do', async () => {
    await ownedBy('First')
    await expect(vaultOf('Second').read(fyers, ['pin'])).rejects.toMatchObject(REFUSED)
    expect(calls).toEqual(['GetParameters'])
    await expect(vaultOf('Second').write(fyers, 'pin', value)).rejects.toMatchObject(REFUSED)
    expect(calls).toEqual(['GetParameters'])
    await expect(vaultOf('Second').read(fyers, ['pin'])).rejects.toBeInstanceOf(ConfigurationError)
  })

  test('are anybody’s until a stack says that they are its own, as those of 0.1 are before the upgrade', async () => {
    const vault = vaultOf('Second')
    await vault.write(fyers, 'pin', value)
    expect((await vault.read(fyers, ['pin'])).size).toBe(1)
    await ownedBy('First')
    await expect(vault.read(fyers, ['pin'])).rejects.toMatchObject(REFUSED)
  })

  test('are left alone by a run of another stack, which says so of each account and asks no broker', async () => {
    await ownedBy('First')
    const world = new World()
    const account = await world.account('fyers', {})
    world.ports = { ...world.ports, vault: vaultOf('Second') }
    const { report } = await world.run(broker)
    expect(report.results).toMatchObject([
      { account, outcome: 'failed', code: 'configuration_invalid', reason: REFUSED.message },
    ])
    expect(calls).toEqual(['GetParameters'])
    await world.close()
  })

  test('are read where a batch has no room for the owner, too', async () => {
    await ownedBy('First')
    const ten = SECRET_NAMES.slice(0, 10)
    expect((await vaultOf('First').read(fyers, ten)).size).toBe(0)
  })
})
