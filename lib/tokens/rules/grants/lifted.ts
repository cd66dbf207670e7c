import type { AccountState, StateChanges } from '../../../model/account-state.ts'
import type { Broker, Grant } from '../../../ports/broker/broker.ts'
import { confirmedTries, countedSecrets } from './lockout.ts'

/**
 * What a token that a grant gave lifts: what was recorded against this grant. A block, a lost reply or an unconfirmed
 * password of another one stays: a refresh token that may be spent is still so when the password has helped out.
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
 * What a person's token lifts. A block or a lost reply of a grant is not among it: a password that was refused stays
 * refused, and a refresh token that may be spent stays so, until another one is stored, which a login often does.
 */
export const LIFTED_BY_A_PERSON: StateChanges = {
  notBefore: undefined,
  notBeforeSetAt: undefined,
  loginNotBefore: undefined,
  loginNotBeforeSetAt: undefined,
  refusedVersion: undefined,
}
