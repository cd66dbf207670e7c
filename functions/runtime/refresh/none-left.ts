import { isUnsuccessful } from '../../../lib/model/outcome.ts'
import type { Broker } from '../../../lib/ports/broker/broker.ts'
import type { Ports } from '../../../lib/ports/ports.ts'

/** After an account was mended by itself: sends the zero that ends the alarm, unless another account is on record as failed. */
export async function countNoneLeft(
  broker: Pick<Broker, 'id'>,
  { states, telemetry }: Pick<Ports, 'states' | 'telemetry'>,
): Promise<void> {
  try {
    for await (const { last, paused } of states.list(broker.id)) {
      if (!paused && isUnsuccessful(last?.outcome)) return
    }
    telemetry.count('Unsuccessful', broker.id, 0)
  } catch {
    // The work itself is done; the next run over the whole registry ends the alarm.
  }
}
