import type { SecretName } from '../../../model/secrets/secret-name.ts'
import { localInstant } from '../../../model/time/local-time.ts'
import { attemptAllowedAt } from '../grants/budget.ts'
import { chooseGrant } from './choose-grant.ts'
import { type Decision, type Situation, stop } from './decision.ts'
import { firstOf } from './first-of.ts'
import { heldUntil, isHeld } from './held.ts'
import { type TokenNeed, whatIsNeeded } from './what-is-needed.ts'

/** A probe is no login, so no login budget applies; only a wait that the broker asked for holds it back. */
const PROBE_BUDGET = { minimumGapSeconds: 0 }

/** Says what a run does; `undefined` where another policy has to say it. */
type Policy = (situation: Situation, need: TokenNeed) => Decision | undefined

/** Policies for accounts that are left alone, whatever their token needs. */
export const LEFT_ALONE = { managedElsewhere, paused } as const

/** Asked in this order; the first that answers decides. Where none does, a grant is chosen. All are pure. */
export const POLICIES = {
  nothingNeeded,
  otherRunAtWork,
  probe,
  credentialBroken,
} as const satisfies Readonly<Record<string, Policy>>

/** Decides what to do about one account. Pure: no clock, no call, no secret in the result. */
export function decide(situation: Situation): Decision {
  const leftAlone = firstOf<[Situation], Decision>(LEFT_ALONE, situation)
  if (leftAlone) return leftAlone
  const need = whatIsNeeded(situation)
  const decision = firstOf<[Situation, TokenNeed], Decision>(POLICIES, situation, need)
  return decision ?? chooseGrant(situation, need)
}

function managedElsewhere({ state }: Situation): Decision | undefined {
  const isExternal = state.settings.managedBy === 'external'
  return isExternal ? { action: 'skip', reason: 'this account is managed elsewhere' } : undefined
}

function paused({ broker, state }: Situation): Decision | undefined {
  if (!state.paused) return undefined
  const since = localInstant(state.paused.since, broker.session.timeZone)
  return { action: 'paused', reason: `paused since ${since}` }
}

function nothingNeeded(_: Situation, need: TokenNeed): Decision | undefined {
  return need.kind === 'fresh' ? { action: 'fresh', reason: need.reason } : undefined
}

/** The lease may be left over from a run that died; it ends by itself. */
function otherRunAtWork({ broker, state, now }: Situation): Decision | undefined {
  if (!state.lease || !isHeld(state.lease, now)) return undefined
  const until = localInstant(heldUntil(state.lease), broker.session.timeZone)
  return { action: 'skip', reason: `another run is working on this account, at most until ${until}` }
}

function probe({ broker, state, now }: Situation, need: TokenNeed): Decision | undefined {
  if (need.kind !== 'probe' && need.kind !== 'publish_pending') return undefined
  const hold = attemptAllowedAt(PROBE_BUDGET, { ...state, attempts: [] }, broker.session.timeZone, now)
  if (hold) return { action: 'wait', reason: hold.reason, until: hold.at, live: need.live }
  return { action: need.kind, reason: need.reason }
}

/** Checked before any grant is tried: a broker refuses a malformed credential in words that say less. */
function credentialBroken({ broker, state, stored }: Situation): Decision | undefined {
  const { account } = state
  const missing: SecretName[] = []
  for (const { name, problem, required } of broker.credentials) {
    const value = stored.get(name)?.value
    if (value === undefined) {
      if (required) missing.push(name)
      continue
    }
    const wrong = problem?.(value.reveal())
    if (wrong === undefined) continue
    return stop(`the stored ${name} is malformed: ${wrong}`, `store it again: tokenkeeper setup ${account}`)
  }
  if (missing.length === 0) return undefined
  return stop(`not stored: ${missing.join(', ')}`, `run tokenkeeper setup ${account}`)
}
