import type { Broker, BrokerContext, Proof } from '../ports/broker.ts'
import { ClientRejectedError, GrantRejectedError } from '../tokens/errors.ts'
import { assertPlausibleToken } from '../tokens/plausible.ts'
import { repeatRead } from '../tokens/repeat.ts'
import type { Secret } from '../tokens/secret.ts'

/**
 * Proves the access token that a login with stored credentials has just given. The login worked, so a refusal
 * says nothing against the credentials, and a second login would end the same way: it is the operator's to find
 * out why (wrong API, guard, clock). Throws ClientRejectedError then, and what else the proof throws.
 */
export async function proveFresh(
  broker: Pick<Broker, 'displayName' | 'prove'>,
  context: BrokerContext,
  accessToken: Secret,
): Promise<Partial<Proof>> {
  assertPlausibleToken(accessToken, 'access token')
  try {
    return await repeatRead(context, () => broker.prove(context, accessToken))
  } catch (error) {
    if (!(error instanceof GrantRejectedError)) throw error
    throw new ClientRejectedError(`${broker.displayName} accepts the login and refuses the token it gave`, {
      ...(error.brokerCode && { brokerCode: error.brokerCode }),
      cause: error,
      fix: `check address, API and account options, then run tokenkeeper refresh ${context.account} --force`,
    })
  }
}
