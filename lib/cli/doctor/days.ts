import type { KnownAccount } from '../../accounts/accounts.ts'
import { endingDays } from '../../markets/known-until.ts'
import { sessionOf } from '../../markets/session.ts'
import type { Clock } from '../../ports/clock.ts'
import { type Finding, pass, warn } from './finding.ts'

/** Whether the days of the markets these accounts trade on are known for long enough. */
export function dayFindings(known: readonly KnownAccount[], clock: Clock): readonly Finding[] {
  const markets = known.flatMap(({ broker, state }) => sessionOf(broker, state.settings)?.markets ?? [])
  if (markets.length === 0) return []
  const ending = endingDays(markets, clock.now())
  if (ending.length === 0) return [pass('trading days', 'known for a month and more')]
  return ending.map(({ says, fix }) => warn('trading days', says, fix))
}
