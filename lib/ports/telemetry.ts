/** What may be logged: names and numbers of ours. Values pass an allow-list by being typed, never spread objects. */
export type Fields = Readonly<Record<string, string | number | boolean | undefined>>

export interface Telemetry {
  info(message: string, fields?: Fields): void
  warn(message: string, fields?: Fields): void
  error(message: string, fields?: Fields): void
  /** Adds to a counter; dimensions are the broker and the metric's name only, so that cost stays bounded. */
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
