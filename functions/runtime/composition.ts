import type { ScheduledRuns } from '../../lib/aws/dynamo/dynamo-scheduled-runs.ts'
import type { Broker } from '../../lib/ports/broker/broker.ts'
import type { FollowUp } from '../../lib/ports/follow-up.ts'
import type { Ports } from '../../lib/ports/ports.ts'
import type { Telemetry } from '../../lib/ports/telemetry.ts'

/** Everything an invocation works with. */
export interface FunctionComposition {
  /** The broker, with the owner's settings. */
  readonly broker: Broker
  readonly ports: Ports
  readonly followUp: FollowUp
  /** Told of each run that the schedule started. @default - nobody looks whether scheduled runs come */
  readonly scheduledRuns?: Pick<ScheduledRuns, 'started'>
}

export type Compose = (broker: Broker, telemetry: Telemetry) => FunctionComposition
