import { appIdHash } from '../../../lib/brokers/fyers/login.ts'
import { Secret } from '../../../lib/model/secrets/secret.ts'
import type { FyersUser } from '../../../lib/simulators/fyers/behaviour.ts'
import { FyersSimulator } from '../../../lib/simulators/fyers/fyers-simulator.ts'
import { type SimulatorServer, startSimulator } from '../../../lib/simulators/kit/simulator-server.ts'
import { PosConnectorSimulator } from '../../../lib/simulators/pos-connector/pos-connector-simulator.ts'
import { systemClock } from '../../../lib/system-clock.ts'

// Signs that each encoding writes differently, so that the search for leaks has to know all of them.
export const APP = { clientId: 'ABCDEFGH12-100', secret: 'INVENTED+FYERS/APP=SECRET?' }
export const USERS = {
  one: { fyId: 'XX00001', name: 'SIM USER ONE', pin: '7391' },
  two: { fyId: 'XX00002', name: 'SIM USER TWO', pin: '8264' },
  three: { fyId: 'XX00003', name: 'SIM USER THREE', pin: '5187' },
}
const POS_USER = {
  id: 7,
  name: 'Sim Vendor',
  email: 'vendor@example.invalid',
  password: 'invented "password" + more',
  vendorId: '42',
}

/** FYERS, remembering every token it issues: none of them may show up anywhere. */
class RememberingFyers extends FyersSimulator {
  readonly issued: string[] = []

  override refreshTokenFor(fyId: string, daysAgo?: number): string {
    return this.#remembered(super.refreshTokenFor(fyId, daysAgo))
  }

  override accessTokenFor(fyId: string): string {
    return this.#remembered(super.accessTokenFor(fyId))
  }

  #remembered(token: string): string {
    this.issued.push(token)
    return token
  }
}

/** Seconds between two POS accounts: too many for a second one in an invocation of a minute. */
const POS_PACING_S = 16

/** What a deployment is made with. */
export interface SimulatedBrokers {
  /** What cdk.json says of each broker, by its id. */
  readonly settings: Readonly<Record<string, object>>
  /** Every secret there is so far, by a name that may be shown. */
  secrets(): Readonly<Record<string, string>>
  close(): Promise<void>
}

/** The brokers of a deployment that renews tokens unattended. */
export interface Brokers extends SimulatedBrokers {
  readonly fyers: FyersSimulator
  readonly fyersServer: SimulatorServer
  readonly pos: PosConnectorSimulator
  readonly posServer: SimulatorServer
  /** The .env file of a FYERS user with a refresh token of yesterday. */
  fyersVariables(user: FyersUser): string
  /** The .env file of the POS vendor. */
  posVariables(): string
}

/** Starts the brokers on the real clock: a deployed function knows no other. */
export async function startBrokers(): Promise<Brokers> {
  const fyers = new RememberingFyers(systemClock, APP, Object.values(USERS))
  const pos = new PosConnectorSimulator(systemClock, [POS_USER])
  const fyersServer = await startSimulator(fyers, { clock: systemClock })
  const posServer = await startSimulator(pos, { clock: systemClock })
  return {
    fyers,
    fyersServer,
    pos,
    posServer,
    settings: {
      fyers: { pacingSeconds: 0, hosts: fyersServer.hosts },
      'pos-connector': { timeZone: 'America/New_York', pacingSeconds: POS_PACING_S, timeoutMinutes: 1 },
    },
    fyersVariables: ({ fyId, pin }) =>
      variables({
        FYERS_CLIENT_ID: APP.clientId,
        FYERS_APP_SECRET: APP.secret,
        FYERS_PIN: pin,
        FYERS_REFRESH_TOKEN: fyers.refreshTokenFor(fyId, 1),
      }),
    posVariables: () =>
      variables({
        POS_BASE_URL: posServer.origin,
        POS_EMAIL: POS_USER.email,
        POS_PASSWORD: POS_USER.password,
      }),
    secrets: () => ({
      'the FYERS app secret': APP.secret,
      // As good as the secret at the broker.
      'the FYERS appIdHash': appIdHash(new Secret(APP.clientId), new Secret(APP.secret)),
      'the POS password': POS_USER.password,
      ...Object.fromEntries(Object.values(USERS).map(({ fyId, pin }) => [`the PIN of ${fyId}`, pin])),
      ...Object.fromEntries(fyers.issued.map((token, index) => [`FYERS token number ${index + 1}`, token])),
    }),
    async close() {
      await Promise.all([fyersServer.close(), posServer.close()])
    },
  }
}

/** A .env file. */
export function variables(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}='${value}'\n`)
    .join('')
}
