import { ClientRejectedError, GrantRejectedError } from '../../model/errors.ts'
import { assertPlausibleToken } from '../../model/plausible.ts'
import { repeatRead } from '../../model/repeat.ts'
import type { Secret } from '../../model/secret.ts'
import { isWorthKeeping } from '../../model/worth-keeping.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { BrokerContext, Renewal } from '../../ports/broker/broker-context.ts'

/**
 * Proves the access token that a login with stored credentials has just given. The login worked, so a refusal
 * says nothing against the credentials, and a second login would end the same way: it is the operator's to find
 * out why (wrong API, guard, clock). Throws ClientRejectedError then, and what else the proof throws that is a verdict;
 * where there is none for now that is said, and the run keeps what was minted until there is one (I10).
 */
export async function proveFresh(
  broker: Pick<Broker, 'displayName' | 'prove'>,
  context: BrokerContext,
  accessToken: Secret,
): Promise<Pick<Renewal, 'proof' | 'unproven'>> {
  assertPlausibleToken(accessToken, 'access token')
  try {
    return { proof: await repeatRead(context, () => broker.prove(context, accessToken)) }
  } catch (error) {
    if (isWorthKeeping(error)) return { unproven: error }
    if (!(error instanceof GrantRejectedError)) throw error
    throw new ClientRejectedError(`${broker.displayName} accepts the login and refuses the token it gave`, {
      ...(error.brokerCode && { brokerCode: error.brokerCode }),
      cause: error,
      fix: `check address, API and account options, then run tokenkeeper refresh ${context.account} --force`,
    })
  }
}
