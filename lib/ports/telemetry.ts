/**
 * What may be logged: our own names and numbers. Each field is written out, and no object is spread into it,
 * so that no secret gets in.
 */
export type Fields = Readonly<Record<string, string | number | boolean | undefined>>

/** Logs and counters. Nothing waits for them. */
export interface Telemetry {
  info(message: string, fields?: Fields): void
  warn(message: string, fields?: Fields): void
  error(message: string, fields?: Fields): void
  /** Adds to a counter. Its only dimensions are the broker and the metric's name, which bounds the cost. */
  count(metric: Metric, broker: string, value?: number): void
}

export type Metric =
  | 'RunCompleted'
  | 'Refreshed'
  | 'Fresh'
  | 'AwaitingLogin'
  | 'Ambiguous'
  | 'Failed'
  /** Accounts that a run left without success, and that the next one will not mend soon. */
  | 'Unsuccessful'
  | 'Skipped'
  | 'Paused'
  | 'TokenLost'
  | 'NotifyFailed'
  | 'SubscriberFailed'
  | 'ClockDriftSeconds'
