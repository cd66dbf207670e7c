import type { Trouble } from './play.ts'
import type { Scenario } from './scenario.ts'

const PROOF = '/me'
/** More than a proof is repeated. */
const LONG = 12

/** What can go wrong in the act beside the crash. */
const TROUBLES: readonly Trouble[] = [
  { title: 'nothing else', isMain: true },
  { title: 'the reply is lost', isMain: true, faults: { of: ['lost_reply'] } },
  { title: 'the request is lost', faults: { of: ['lost_request'] } },
  { title: 'the broker cannot be reached', faults: { of: ['unsent'] } },
  { title: 'the broker fails before it serves', faults: { of: ['fault_before'] } },
  { title: 'the broker fails after it has served', faults: { of: ['fault_after'] } },
  { title: 'the broker throttles us', faults: { of: ['throttled'] } },
  { title: 'the broker refuses', isMain: true, faults: { of: ['refused'] } },
  { title: 'the first proof is lost', faults: { path: PROOF, of: ['lost_reply'] } },
  { title: 'no proof works', isMain: true, faults: { path: PROOF, of: Array(LONG).fill('fault_before') } },
  { title: 'nobody can be told', outage: { of: 'notifier', writes: 99 } },
  { title: 'the record cannot be written for a while', isMain: true, outage: { of: 'records', writes: 3 } },
  { title: 'the vault takes nothing for a while', outage: { of: 'vault', writes: 3 } },
]

/** For a run that is stopped soon: it repeats the write until then. */
export const VAULT_DOWN: Trouble = { title: 'the vault takes nothing', outage: { of: 'vault', writes: 999 } }

export type Story = readonly [title: string, scenario: Scenario, trouble: Trouble]

/** Each scenario with what may go wrong in it. */
export function storiesOf(scenarios: readonly Scenario[]): readonly Story[] {
  return scenarios.flatMap((scenario) => {
    const troubles = TROUBLES.filter(({ isMain }) => isMain || !scenario.isVariant)
    return troubles.map((trouble) => [`${scenario.title}, and ${trouble.title}`, scenario, trouble] as const)
  })
}
