import type { Temporal } from 'temporal-polyfill'
import type { AccountId } from '../model/account-id.ts'

/** The accounts a run had no time for. */
export interface FollowUpRequest {
  readonly accounts: readonly AccountId[]
  /** When a person forced the run; passed on so that no account is forced twice. */
  readonly forcedAt?: Temporal.Instant | undefined
  /** Which invocation of this run the follow-up is; the first follow-up is 1. */
  readonly continuation: number
  /** Of a run over every account of the registry: how many it has left without success. Absent for named accounts. */
  readonly unsuccessful?: number | undefined
}

/** Continues a run in a further process where its own had not enough time. */
export interface FollowUp {
  /** Hands the accounts to a later process and does not wait for it. Throws FollowUpError. */
  handOver(request: FollowUpRequest): Promise<void>
}
