import { ClientRejectedError, GrantRejectedError } from '../../model/errors.ts'
import { repeatRead } from '../../model/repeat.ts'
import { assertPlausibleToken } from '../../model/secrets/plausible.ts'
import type { Secret } from '../../model/secrets/secret.ts'
import { isWorthKeeping } from '../../model/secrets/worth-keeping.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { BrokerContext, Renewal } from '../../ports/broker/broker-context.ts'

/**
 * Proves the access token that a login with stored credentials has just given. The login worked, so a refusal
 * of the token says nothing against the credentials, and a second login would end the same way:
 * ClientRejectedError is thrown, since the operator has to find out why (wrong API, guard, clock). Throws
 * other verdicts of the proof too. Where there is no verdict for now, `unproven` says why, and the run keeps
 * the token until there is one (I10).
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
