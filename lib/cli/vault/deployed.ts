import type { AwsFunctions, DescribedFunction } from '../backend/aws-functions.ts'
import type { EnabledBroker } from '../backend/setting.ts'

/** The functions of these brokers that are deployed. Throws ConfigurationError where one may not be read. */
export async function deployedFunctions(
  brokers: readonly EnabledBroker[],
  functions: Pick<AwsFunctions, 'describeIfThere'>,
): Promise<readonly DescribedFunction[]> {
  const found = await Promise.all(brokers.map(({ broker }) => functions.describeIfThere(broker.id)))
  return found.filter((one) => one !== undefined)
}
