/** How long work on one account may take, in seconds, all counted from when it is asked for. */
export interface WorkTimes {
  /** What the work is called in the lease it holds. */
  readonly name: string
  /** How long a run that holds the account is waited for. */
  readonly patienceSeconds: number
  /** No broker call is made later. */
  readonly workSeconds: number
  /** Then the account is free, whatever became of whoever held it. */
  readonly leaseSeconds: number
}

/** No broker call is made in a lease's last seconds: what became of it must still be recorded. */
export const RECORDING_SECONDS = 5
/** How long an outcome is tried to be written down; longer, and a run's other accounts get no turn. */
export const MOST_RECORDING_SECONDS = 60
/**
 * How long a run's work on one account may take before its lease ends. A run that is killed keeps the account from the
 * next one no longer than this, however long its process could have lived.
 */
export const RUN_LEASE_SECONDS = 90

/** API Gateway gives up after 30 s, and so does a person; a scheduled run that looks at the account is over in a moment. */
export const LOGIN: WorkTimes = { name: 'login', patienceSeconds: 6, workSeconds: 20, leaseSeconds: 60 }

/** A person waits for this as well. */
export const APPROVAL_REQUEST: WorkTimes = { ...LOGIN, name: 'approval' }

/** What was approved comes once, and nobody waits for our answer. */
export const POSTED_APPROVAL: WorkTimes = {
  name: 'approval',
  patienceSeconds: 30,
  workSeconds: 50,
  leaseSeconds: 90,
}

/** Whoever hands a token in can do so again: a run is not waited for. */
export const ADOPTION: WorkTimes = { name: 'adoption', patienceSeconds: 0, workSeconds: 55, leaseSeconds: 60 }

/** A dozen secrets at three writes a second take five seconds; what dies in between keeps runs away for no longer than this. */
export const STORING_AGAIN: WorkTimes = {
  name: 'storing-again',
  patienceSeconds: 100,
  workSeconds: 110,
  leaseSeconds: 120,
}

/** Removing a dozen secrets takes seconds; a removal that died is taken up again after this. */
export const REMOVAL: WorkTimes = {
  name: 'removal',
  patienceSeconds: 60,
  workSeconds: 120,
  leaseSeconds: 120,
}
