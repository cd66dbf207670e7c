import type { Incident } from '../../../model/account-state.ts'

/** What a person has to be told: what is needed, why, and what to do. */
export interface ActionNeeded {
  readonly kind: Incident['kind']
  readonly reason: string
  readonly action: string
}
