import type { Clock } from '../../ports/clock.ts'
import { FyersSimulator } from '../fyers/fyers-simulator.ts'
import { IiflSimulator } from '../iifl/iifl-simulator.ts'
import { IiflXtsSimulator } from '../iifl-xts/iifl-xts-simulator.ts'
import { type SimulatorServer, startSimulator } from '../kit/simulator-server.ts'
import { PosConnectorSimulator } from '../pos-connector/pos-connector-simulator.ts'
import { TokenServiceSimulator } from '../token-service/token-service-simulator.ts'
import { UpstoxSimulator } from '../upstox/upstox-simulator.ts'
import { ZerodhaSimulator } from '../zerodha/zerodha-simulator.ts'
import {
  ASHA_ACCOUNT,
  ASHA_AT_FYERS,
  ASHA_AT_UPSTOX,
  BINA_AT_FYERS,
  CHITRA_AT_IIFL,
  type DemoAccount,
  demoAccounts,
  ESHA_AT_ZERODHA,
  FARAH_AT_IIFL,
  FYERS_APP,
  GITA_AT_UPSTOX,
  POS_USER,
  UPSTOX_APP,
  XTS_KEYS,
  ZERODHA_APP,
} from './demo-accounts.ts'

/** Shorter than Laravel's default, so that somebody who watches sees several renewals. */
const POS_TOKEN_LIFE_S = 3 * 3_600
/** Where `tokenkeeper serve` and `tokenkeeper login` wait for browsers that come back. */
const USUAL_SITE = 'http://127.0.0.1:8787'

interface DemoServer {
  readonly name: string
  readonly server: SimulatorServer
}

/** Every simulated broker on loopback, and accounts with them. */
export interface DemoWorld {
  readonly servers: readonly DemoServer[]
  /** Host overrides for all of them. */
  readonly hosts: Readonly<Record<string, string>>
  readonly accounts: readonly DemoAccount[]
  /** Those people log in at. */
  readonly fyers: FyersSimulator
  readonly upstox: UpstoxSimulator
  readonly zerodha: ZerodhaSimulator
  readonly iifl: IiflSimulator
  /** Where Asha is asked to approve at Upstox. */
  readonly phone: string
  /** The account whose broker posts what was approved, and the app's setting of where to. */
  readonly notified: { readonly account: string; at(url: string): void }
  close(): Promise<void>
}

export interface DemoWorldOptions {
  readonly clock: Clock
  /** The first of seven ports in a row. @default - free ones */
  readonly portBase?: number | undefined
  /** The site whose callbacks are registered with the brokers' apps. @default - http://127.0.0.1:8787 */
  readonly siteUrl?: string | undefined
}

export async function startDemoWorld(options: DemoWorldOptions): Promise<DemoWorld> {
  const { clock, portBase, siteUrl = USUAL_SITE } = options
  const callback = (broker: string): string => `${siteUrl}/callback/${broker}`
  const fyers = new FyersSimulator(clock, FYERS_APP, [ASHA_AT_FYERS, BINA_AT_FYERS])
  const upstox = new UpstoxSimulator(clock, { ...UPSTOX_APP, redirectUri: callback('upstox') }, [
    ASHA_AT_UPSTOX,
    GITA_AT_UPSTOX,
  ])
  const zerodha = new ZerodhaSimulator(clock, { ...ZERODHA_APP, redirectUrl: callback('zerodha') }, [
    ESHA_AT_ZERODHA,
  ])
  const iifl = new IiflSimulator(clock, [CHITRA_AT_IIFL, FARAH_AT_IIFL])
  const pos = new PosConnectorSimulator(clock, [POS_USER])
  pos.behaviour.tokenLifeSeconds = POS_TOKEN_LIFE_S
  const simulators = [
    fyers,
    upstox,
    // Behind it stands a person who approves whenever asked.
    new TokenServiceSimulator(clock, { DEMO1: () => upstox.accessTokenFor(GITA_AT_UPSTOX.userId) }),
    iifl,
    new IiflXtsSimulator(clock, [XTS_KEYS]),
    pos,
    zerodha,
  ]
  const servers: DemoServer[] = []
  const close = async (): Promise<void> => {
    await Promise.all(servers.map(({ server }) => server.close()))
  }
  try {
    for (const [index, simulator] of simulators.entries()) {
      const port = portBase === undefined ? 0 : portBase + index
      servers.push({ name: simulator.id, server: await startSimulator(simulator, { clock, port }) })
    }
  } catch (error) {
    await close()
    throw error
  }
  const addressOf = (id: string): string => servers.find(({ name }) => name === id)?.server.origin ?? ''
  return {
    servers,
    hosts: Object.assign({}, ...servers.map(({ server }) => server.hosts)),
    accounts: demoAccounts(fyers, addressOf(pos.id)),
    fyers,
    upstox,
    zerodha,
    iifl,
    phone: `${addressOf(upstox.id)}/simulated-phone`,
    notified: { account: ASHA_ACCOUNT, at: (url) => upstox.notify(url) },
    close,
  }
}
