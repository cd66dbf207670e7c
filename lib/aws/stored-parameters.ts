import {
  DeleteParameterCommand,
  DescribeParametersCommand,
  type DescribeParametersCommandOutput,
  GetParametersCommand,
  PutParameterCommand,
  type SSMClient,
} from '@aws-sdk/client-ssm'
import { ConfigurationError } from '../model/errors.ts'
import type { Clock } from '../ports/clock.ts'
import { awsFault } from './aws-fault.ts'

const PAGE = 50
/** SSM allows few of these calls in a second, and other programs in the account make them as well. */
const MOST_TRIES = 8
const PAUSE_MS = 1_000

/** A parameter as SSM describes it: no value. */
export interface StoredParameter {
  /** Its whole name. */
  readonly path: string
  readonly isSecure: boolean
  /** The key it is encrypted under, as whoever wrote it named it: an alias, an id or an ARN. `undefined` where it is plain. */
  readonly keyId: string | undefined
  /** Whether it costs. */
  readonly isAdvanced: boolean
  /** Its own ARN, which has region and AWS account. */
  readonly arn: string | undefined
}

/** Every parameter below a prefix. Throws ConfigurationError. */
export async function parametersBelow(
  client: SSMClient,
  prefix: string,
  clock: Clock,
): Promise<readonly StoredParameter[]> {
  const found: StoredParameter[] = []
  let next: string | undefined
  do {
    const page = await described(client, prefix, next, clock)
    for (const { Name = '', Type, KeyId, ARN, Tier } of page.Parameters ?? []) {
      const isSecure = Type === 'SecureString'
      const keyId = isSecure ? (KeyId ?? DEFAULT_KEY) : undefined
      found.push({ path: Name, isSecure, keyId, isAdvanced: Tier === 'Advanced', arn: ARN })
    }
    next = page.NextToken
  } while (next !== undefined)
  return found
}

/** What SSM encrypts under where no key is named; whoever may read a parameter may open it with this one. */
export const DEFAULT_KEY = 'alias/aws/ssm'

/** A key without what differs between the ways to write it: `alias/aws/ssm`, or its id. */
export function keyName(keyId: string): string {
  return keyId.replace(/^arn:[^:]*:kms:[^:]*:[^:]*:/, '').replace(/^key\//, '')
}

/**
 * Whether a key can be written and read with here: by a parameter that is none of anybody's, and is gone afterwards. Throws
 * ConfigurationError where it cannot; no secret has been touched then.
 */
export async function tryKey(client: SSMClient, prefix: string, keyId: string | undefined): Promise<void> {
  const Name = `${prefix}/vault/probe`
  const key = keyId ?? DEFAULT_KEY
  try {
    const put = { Name, Value: 'probe', Type: 'SecureString', Overwrite: true } as const
    await client.send(new PutParameterCommand({ ...put, ...(keyId !== undefined && { KeyId: keyId }) }))
    await client.send(new GetParametersCommand({ Names: [Name], WithDecryption: true }))
    await client.send(new DeleteParameterCommand({ Name }))
  } catch (error) {
    const call = { service: 'SSM', operation: 'PutParameter', action: 'ssm:PutParameter' }
    const { message, fix, cause } = awsFault(error, { ...call, resource: `parameter${Name}` })
    throw new ConfigurationError(`the key ${key} cannot be used; no secret was touched: ${message}`, {
      fix,
      cause,
    })
  }
}

async function described(
  client: SSMClient,
  prefix: string,
  NextToken: string | undefined,
  clock: Clock,
): Promise<DescribeParametersCommandOutput> {
  const ParameterFilters = [{ Key: 'Path', Option: 'Recursive', Values: [prefix] }]
  for (let attempt = 1; ; attempt++) {
    try {
      return await client.send(
        new DescribeParametersCommand({ ParameterFilters, MaxResults: PAGE, NextToken }),
      )
    } catch (error) {
      const call = { service: 'SSM', operation: 'DescribeParameters', action: 'ssm:DescribeParameters' }
      const { message, fix, passing, cause } = awsFault(error, { ...call, resource: `parameters ${prefix}` })
      if (!passing || attempt === MOST_TRIES) throw new ConfigurationError(message, { fix, cause })
      await clock.sleep(PAUSE_MS)
    }
  }
}
