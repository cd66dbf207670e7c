import type { AccountState, StateChanges } from '../../../model/account-state.ts'
import type { Broker, Grant } from '../../../ports/broker/broker.ts'
import { confirmedTries, countedSecrets } from './lockout.ts'

/**
 * What is lifted when a grant gave a token: what was recorded against this grant. What was recorded against
 * another grant stays (a block, a lost reply, an unconfirmed password): a refresh token that may be spent
 * still is when the password has helped out. Pure.
 */
export function liftedByGrant(broker: Broker, kind: Grant['kind'], state: AccountState): StateChanges {
  const { [kind]: _its, ...blocks } = state.blocks
  const confirmed = broker.grants
    .filter((grant) => grant.kind === kind)
    .flatMap((grant) => [...countedSecrets(broker, grant).keys()])
  return {
    blocks,
    ...(state.ambiguous?.grant === kind && { ambiguous: undefined }),
    ...confirmedTries(confirmed, state),
    notBefore: undefined,
    notBeforeSetAt: undefined,
    refusedVersion: undefined,
  }
}

/**
 * What is lifted when a person brings a token. Blocks and lost replies of grants stay: a refused password
 * stays refused, and a refresh token that may be spent stays so, until another one is stored, which a login
 * often does.
 */
export const LIFTED_BY_A_PERSON: StateChanges = {
  notBefore: undefined,
  notBeforeSetAt: undefined,
  loginNotBefore: undefined,
  loginNotBeforeSetAt: undefined,
  refusedVersion: undefined,
}
