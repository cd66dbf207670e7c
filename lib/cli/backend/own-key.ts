import type { Config } from '../../config.ts'
import { ConfigurationError } from '../../model/errors.ts'
import type { AwsFunctions } from './aws-functions.ts'
import type { EnabledBroker } from './setting.ts'

/**
 * The stack's own key as its functions name it to SSM: by its id, so that a value still says which key it lies under when the
 * stack, and the alias with it, is gone. The alias where functions cannot tell.
 */
export function ownKey(
  { stackName }: Config,
  brokers: readonly EnabledBroker[],
  functions: Pick<AwsFunctions, 'describeIfThere'>,
): () => Promise<string> {
  let asked: Promise<string> | undefined
  const ask = async (): Promise<string> => {
    const [first] = brokers
    const described = first && (await functions.describeIfThere(first.broker.id).catch(unlessConfiguration))
    return described && isOwnKey(described.keyId) ? described.keyId : `alias/${stackName}`
  }
  return () => {
    asked ??= ask()
    return asked
  }
}

/** Functions are told the stack's own key by its id, any other by its ARN, and aws/ssm not at all. */
export function isOwnKey(keyId: string): boolean {
  return keyId !== '' && !keyId.startsWith('arn:')
}

/** Who may store values need not be allowed to look at functions. */
function unlessConfiguration(error: unknown): undefined {
  if (!(error instanceof ConfigurationError)) throw error
  return undefined
}
