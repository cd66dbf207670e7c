import { GetParametersCommand, type SSMClient } from '@aws-sdk/client-ssm'
import { awsFault } from '../../aws/aws-fault.ts'
import { assertOwned, readOwner } from '../../aws/prefix-owner.ts'
import { parametersBelow, type StoredParameter } from '../../aws/stored-parameters.ts'
import { TokenkeeperError } from '../../model/errors.ts'
import type { DescribedFunction } from '../backend/aws-functions.ts'
import type { Composition } from '../backend/composition.ts'
import { planOf, sizeOf } from '../vault/plan.ts'
import { presentKey } from '../vault/present-key.ts'
import { assertKeyIsKept, assertOpenable, assertSamePrefix } from '../vault/stays-readable.ts'
import { type Finding, fail, note, pass, warn } from './finding.ts'

/** A standard parameter is free, and an AWS account has room for so many in a region; each further one costs. */
const MOST_STANDARD = 10_000
const NEARLY = 0.8

/** What lies below the prefix: whose it is, under which keys, how much of it, and whether functions may open it. */
export async function vaultFindings(
  { config, ports, brokers }: Composition,
  deployed: readonly DescribedFunction[],
  client: SSMClient,
): Promise<readonly Finding[]> {
  const owned = await attempt('prefix', async () => {
    const owner = await readOwner(client, config.prefix)
    assertOwned(config.prefix, config.stackName, owner)
    return owner === undefined
      ? warn(
          'prefix',
          `no stack has said that ${config.prefix} is its own`,
          'deploy this version: npm run deploy',
        )
      : pass('prefix', `${config.prefix} belongs to ${config.stackName}`)
  })
  const parameters: StoredParameter[] = []
  const keys = await attempt('keys', async () => {
    parameters.push(...(await parametersBelow(client, config.prefix, ports.clock)))
    for (const one of deployed) {
      assertSamePrefix(config, one)
      assertKeyIsKept(config, one)
    }
    assertOpenable(config, parameters, deployed[0])
    const key = presentKey(config, deployed[0])
    const plan = planOf(parameters, config.prefix, key)
    const others = sizeOf(plan)
    return others === 0
      ? pass('keys', `${plan.there} secrets, all of them under ${key.shown}`)
      : note(
          'keys',
          `${others} of ${plan.there + others} secrets are not yet under ${key.shown}; to move them: tokenkeeper vault re-encrypt`,
        )
  })
  const samples = brokers.flatMap(({ broker: { id } }) => {
    const sample = parameters.find(
      ({ path, isSecure }) => isSecure && path.startsWith(`${config.prefix}/${id}/`),
    )
    return sample ? [opened(id, sample, client)] : []
  })
  return [owned, keys, ...(await Promise.all(samples)), ...roomFindings(parameters, config.prefix)]
}

/** Whether a stored secret of a broker really opens: a key's own policy may refuse what a role's allows. */
async function opened(
  brokerId: string,
  { path, keyId = '' }: StoredParameter,
  client: SSMClient,
): Promise<Finding> {
  const what = `secrets of ${brokerId}`
  try {
    await client.send(new GetParametersCommand({ Names: [path], WithDecryption: true }))
    return pass(what, `${path} opens, under ${keyId}`)
  } catch (error) {
    const call = { service: 'SSM', operation: 'GetParameters', action: 'ssm:GetParameters' }
    const { message, fix } = awsFault(error, { ...call, resource: `parameter${path}` })
    return fail(what, message, fix)
  }
}

/** How near what is stored is to where it costs. */
export function roomFindings(parameters: readonly StoredParameter[], prefix: string): readonly Finding[] {
  if (parameters.length === 0) return []
  const advanced = parameters.filter(({ isAdvanced }) => isAdvanced).length
  const says = `${parameters.length} parameters below ${prefix}, ${advanced} of them Advanced ($${(advanced * 0.05).toFixed(2)} a month)`
  if (parameters.length < MOST_STANDARD * NEARLY) return [pass('parameters', says)]
  return [
    warn(
      'parameters',
      `${says}; an AWS account has room for ${MOST_STANDARD} standard ones in a region, and SSM makes each further one Advanced, at $0.05 a month`,
      'remove accounts that are no longer used (tokenkeeper remove), or put some under a stack in another region or AWS account',
    ),
  ]
}

async function attempt(what: string, look: () => Promise<Finding>): Promise<Finding> {
  try {
    return await look()
  } catch (error) {
    if (!(error instanceof TokenkeeperError)) throw error
    return fail(what, error.message, error.fix)
  }
}
