import type { Compose } from '../../functions/runtime/composition.ts'
import type { FollowUpRequest } from '../../lib/ports/follow-up.ts'
import { FyersSimulator } from '../../lib/simulators/fyers/fyers-simulator.ts'
import { World } from '../support/world.ts'
import { captureOutput } from './lambda.ts'

export const APP = { clientId: 'ABCDEFGH12-100', secret: 'CANARY-FYERS-APP-SECRET' }
const USER = { fyId: 'XX00001', name: 'SIM USER ONE', pin: '0412' }

/** The world of a FYERS function: embedded adapters, a simulator, and all that is printed or handed over. */
export async function fyersFunction() {
  const world = new World('2026-11-23T07:00:00+05:30')
  const simulator = new FyersSimulator(world.clock, APP, [USER])
  const server = await world.serve(simulator)
  const output = captureOutput()
  const handedOver: FollowUpRequest[] = []
  const followUp = { handOver: async (request: FollowUpRequest) => void handedOver.push(request) }
  const compose: Compose = (broker, telemetry) => ({
    broker,
    ports: { ...world.ports, telemetry },
    followUp: { handOver: (request) => followUp.handOver(request) },
  })
  return {
    world,
    simulator,
    server,
    output,
    handedOver,
    /** Replaceable: what happens to accounts that are handed over. */
    followUp,
    compose,
    /** Accounts with these ids, all of one user. */
    async accounts(...ids: string[]): Promise<void> {
      for (const id of ids) {
        await world.account(id, {
          client_id: APP.clientId,
          client_secret: APP.secret,
          pin: USER.pin,
          refresh_token: simulator.refreshTokenFor(USER.fyId, 1),
        })
      }
    },
    /** The values of one metric in everything that was printed. */
    metric: (name: string): readonly unknown[] =>
      output.lines().flatMap((line) => ('_aws' in line && name in line ? [line[name]].flat() : [])),
  }
}
