import type { Incident } from '../../../model/account-state.ts'

/** What a person has to be told, if anything. */
export interface ActionNeeded {
  readonly kind: Incident['kind']
  readonly reason: string
  readonly action: string
}
