import { GetParametersCommand, type Parameter, type SSMClient } from '@aws-sdk/client-ssm'
import { ConfigurationError, TokenVaultError } from '../model/errors.ts'
import { awsFault } from './aws-fault.ts'

/**
 * Where a stack says that all parameters below a prefix are its own; the stack writes it, and it is no secret. Two stacks
 * on one prefix share secrets and not the leases under which they are renewed: each login of one ends the token of the other.
 */
export function ownerParameter(prefix: string): string {
  return `${prefix}/owner`
}

/** Whose the parameters are, among those that were read; `undefined` before a stack of 0.2 has been deployed there. */
export function ownerIn(prefix: string, parameters: readonly Parameter[]): string | undefined {
  return parameters.find(({ Name }) => Name === ownerParameter(prefix))?.Value
}

/** Throws ConfigurationError where the parameters belong to another stack. */
export function assertOwned(prefix: string, stackName: string, owner: string | undefined): void {
  if (owner === undefined || owner === stackName) return
  throw new ConfigurationError(
    `the parameters below ${prefix} belong to the stack ${owner}, and this is the stack ${stackName}: nothing was done`,
    {
      fix:
        `use one stack for them: set stackName in cdk.json to ${owner}, or prefix to one of its own and npm run deploy. ` +
        `Where the stack ${owner} is gone: aws ssm delete-parameter --name ${ownerParameter(prefix)}, and npm run deploy`,
    },
  )
}

/** Reads whose the parameters are. Throws TokenVaultError when that cannot be read: it may pass. */
export async function readOwner(client: SSMClient, prefix: string): Promise<string | undefined> {
  const name = ownerParameter(prefix)
  try {
    const { Parameters = [] } = await client.send(new GetParametersCommand({ Names: [name] }))
    return ownerIn(prefix, Parameters)
  } catch (error) {
    const call = { service: 'SSM', operation: 'GetParameters', action: 'ssm:GetParameters' }
    const { message, fix, cause } = awsFault(error, { ...call, resource: `parameter${name}` })
    throw new TokenVaultError(message, { during: 'read', fix, cause })
  }
}
