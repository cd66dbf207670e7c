import type { AccountId } from '../../model/account-id.ts'
import type { AccountState, LoginResult } from '../../model/account-state.ts'
import type { LoginService } from '../../ports/login-service.ts'
import type { StateStore } from '../../ports/state-store.ts'
import { loginCalled } from '../../tokens/login/attempts.ts'

/** A login or an approval that has come to its end, with the record it left. */
export interface EndedLogin {
  readonly state: AccountState
  readonly result: LoginResult
}

/** A service that also tells `serve` how logins end, each once however often its callback is reloaded. */
export function tellingLoginService(
  logins: LoginService,
  states: Pick<StateStore, 'get'>,
  tell: (ended: EndedLogin) => void,
): LoginService {
  const told = new Set<string>()
  return {
    ...logins,
    async finish(order) {
      const finished = await logins.finish(order)
      if ('refused' in finished || told.has(finished.loginId)) return finished
      told.add(finished.loginId)
      const state = await states.get(finished.account).catch(() => undefined)
      const result = state && loginCalled(state, finished.loginId)?.result
      if (state && result) tell({ state, result })
      return finished
    },
    async acceptApproval(order) {
      const before = await approvedAt(order.account, states)
      await logins.acceptApproval(order)
      const state = await states.get(order.account).catch(() => undefined)
      const at = state?.approval?.approvedAt
      if (state?.pending) {
        const reason = 'approved in the app of the broker; the new token is kept until it is proven'
        return tell({ state, result: { success: false, at: state.pending.mintedAt, reason, kept: true } })
      }
      if (!state || !at || at.toString() === before) return
      tell({ state, result: { success: true, at, reason: 'approved in the app of the broker' } })
    },
  }
}

async function approvedAt(account: AccountId, states: Pick<StateStore, 'get'>): Promise<string | undefined> {
  const state = await states.get(account).catch(() => undefined)
  return state?.approval?.approvedAt?.toString()
}
