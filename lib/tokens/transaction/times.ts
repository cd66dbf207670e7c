/** How long work on one account may take; all in seconds from when it is asked for. */
export interface WorkTimes {
  /** What the work is called in the lease it holds. */
  readonly name: string
  /** How long to wait for a run that holds the account. */
  readonly patienceSeconds: number
  /** No broker call is made after this time. */
  readonly workSeconds: number
  /** When the lease ends, so that others may take the account even if its holder died. */
  readonly leaseSeconds: number
}

/** No broker call is made in the last seconds of a lease, so that its outcome can still be recorded. */
export const RECORDING_SECONDS = 5
/**
 * Seconds for which the write of an outcome is repeated; longer, and the run's other accounts get no turn.
 */
export const MOST_RECORDING_SECONDS = 60
/**
 * Seconds for a run's work on one account before its lease ends. A run that is killed keeps the account from
 * the next run no longer than this, however long its process could have lived.
 */
export const RUN_LEASE_SECONDS = 90

/**
 * API Gateway ends a request after 30 s, and a person waits no longer. A scheduled run that only looks at the
 * account is over in a moment, so it is waited for.
 */
export const LOGIN: WorkTimes = { name: 'login', patienceSeconds: 6, workSeconds: 20, leaseSeconds: 60 }

/** A person waits for this as well. */
export const APPROVAL_REQUEST: WorkTimes = { ...LOGIN, name: 'approval' }

/** The broker posts an approval once, and nobody waits for our answer: there is time to wait for a run. */
export const POSTED_APPROVAL: WorkTimes = {
  name: 'approval',
  patienceSeconds: 30,
  workSeconds: 50,
  leaseSeconds: 90,
}

/** A token can be handed in again, so a run that holds the account is not waited for. */
export const ADOPTION: WorkTimes = { name: 'adoption', patienceSeconds: 0, workSeconds: 55, leaseSeconds: 60 }

/** A dozen secrets at three writes a second take five seconds; what dies in between keeps runs away for no longer than this. */
export const STORING_AGAIN: WorkTimes = {
  name: 'storing-again',
  patienceSeconds: 100,
  workSeconds: 110,
  leaseSeconds: 120,
}

/**
 * Removing a dozen secrets takes seconds; after a removal that died the account is free again after this
 * time.
 */
export const REMOVAL: WorkTimes = {
  name: 'removal',
  patienceSeconds: 60,
  workSeconds: 120,
  leaseSeconds: 120,
}
