import type { Hono } from 'hono'
import type { Clock } from '../../../lib/ports/clock.ts'
import type { Telemetry } from '../../../lib/ports/telemetry.ts'

/** What answers requests, and the clock they are measured by. */
export interface SiteComposition {
  readonly app: Hono
  readonly clock: Clock
}

export type ComposeSite = (telemetry: Pick<Telemetry, 'info' | 'warn' | 'error'>) => SiteComposition
