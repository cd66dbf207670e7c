import type { Clock } from '../ports/clock.ts'
import type { SecretName } from '../ports/token-vault.ts'
import type { AccountSettings } from '../tokens/account-state.ts'
import { FyersSimulator } from './fyers-simulator.ts'
import { IiflSimulator } from './iifl-simulator.ts'
import { IiflXtsSimulator } from './iifl-xts-simulator.ts'
import { PosConnectorSimulator } from './pos-connector-simulator.ts'
import type { Simulator } from './simulator.ts'
import { type SimulatorServer, startSimulator } from './simulator-server.ts'
import { TokenServiceSimulator } from './token-service-simulator.ts'
import { UpstoxSimulator } from './upstox-simulator.ts'

/** Everybody in this file is invented, and so is every credential. */
const FYERS_APP = { clientId: 'SIMFYERS01-100', secret: 'SIMULATED-fyers-app-secret' }
const FYERS_FIRST = { fyId: 'XS00001', name: 'ASHA SIMULATED', pin: '2580' }
const FYERS_SECOND = { fyId: 'XS00002', name: 'BINA SIMULATED', pin: '1470' }
const UPSTOX_APP = {
  clientId: '00000000-0000-4000-8000-simulated001',
  secret: 'SIMULATED-upstox-secret',
  redirectUri: 'https://example.invalid/callback',
}
const UPSTOX_USER = { userId: 'SIM001', name: 'ASHA SIMULATED' }
const IIFL_USER = {
  clientId: 'SIM10001',
  name: 'CHITRA SIMULATED',
  password: 'Simulated-Passw0rd',
  totpSecret: 'JBSWY3DPEHPK3PXP',
  appKey: 'SIMULATED-iifl-app-key',
  appSecret: 'SIMULATED-iifl-app-secret',
}
const XTS_KEYS = {
  product: 'interactive',
  appKey: 'SIMULATED-xts-app-key',
  secretKey: 'SIMULATED-xts-secret',
  userId: 'SIM20001',
} as const
const POS_USER = {
  id: 7,
  name: 'Corner Shop (simulated)',
  email: 'shop@example.invalid',
  password: 'Simulated-P0S',
  vendorId: 'V-42',
}

/** Days a FYERS refresh token lives (sheet fyers, section 1). */
const FYERS_REFRESH_TOKEN_DAYS = 15
/** Shorter than Laravel's default, so that somebody who watches sees several renewals. */
const POS_TOKEN_LIFE_S = 3 * 3_600

/** An account that can be set up in the simulated world. */
export interface DemoAccount {
  readonly id: string
  readonly secrets: Readonly<Partial<Record<SecretName, string>>>
  readonly settings: AccountSettings
}

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
  /** What the second FYERS account's owner gets by logging in: a new refresh token. */
  logInAtFyers(): string
  close(): Promise<void>
}

export interface DemoWorldOptions {
  readonly clock: Clock
  /** The first of six ports in a row. @default - free ones */
  readonly portBase?: number | undefined
}

export async function startDemoWorld({ clock, portBase }: DemoWorldOptions): Promise<DemoWorld> {
  const fyers = new FyersSimulator(clock, FYERS_APP, [FYERS_FIRST, FYERS_SECOND])
  const upstox = new UpstoxSimulator(clock, UPSTOX_APP, [UPSTOX_USER])
  const pos = new PosConnectorSimulator(clock, [POS_USER])
  pos.behaviour.tokenLifeSeconds = POS_TOKEN_LIFE_S
  const simulators: readonly Simulator[] = [
    fyers,
    upstox,
    // Behind it stands a person who approves whenever asked.
    new TokenServiceSimulator(clock, { DEMO1: () => upstox.accessTokenFor(UPSTOX_USER.userId) }),
    new IiflSimulator(clock, [IIFL_USER]),
    new IiflXtsSimulator(clock, [XTS_KEYS]),
    pos,
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
  const posAddress = servers.find(({ name }) => name === pos.id)?.server.origin ?? ''
  return {
    servers,
    hosts: Object.assign({}, ...servers.map(({ server }) => server.hosts)),
    accounts: accountsOf(fyers, posAddress),
    logInAtFyers: () => fyers.refreshTokenFor(FYERS_SECOND.fyId),
    close,
  }
}

function accountsOf(fyers: FyersSimulator, posAddress: string): readonly DemoAccount[] {
  const fyersApp = { client_id: FYERS_APP.clientId, client_secret: FYERS_APP.secret }
  return [
    {
      id: 'fyers',
      secrets: {
        ...fyersApp,
        pin: FYERS_FIRST.pin,
        refresh_token: fyers.refreshTokenFor(FYERS_FIRST.fyId, 1),
      },
      settings: { nickname: 'Asha' },
    },
    {
      id: 'fyers/BINA',
      secrets: {
        ...fyersApp,
        pin: FYERS_SECOND.pin,
        // Its last day: it dies with the coming 06:00.
        refresh_token: fyers.refreshTokenFor(FYERS_SECOND.fyId, FYERS_REFRESH_TOKEN_DAYS),
      },
      settings: { nickname: 'Bina' },
    },
    { id: 'upstox/DEMO1', secrets: {}, settings: { nickname: 'Asha' } },
    {
      id: 'iifl/SIM10001',
      secrets: {
        user_id: IIFL_USER.clientId,
        client_id: IIFL_USER.appKey,
        client_secret: IIFL_USER.appSecret,
        password: IIFL_USER.password,
        totp_secret: IIFL_USER.totpSecret,
      },
      settings: { nickname: 'Chitra' },
    },
    { id: 'iifl/SIM10002', secrets: {}, settings: { nickname: 'Dev', managedBy: 'external' } },
    {
      id: 'iifl-xts',
      secrets: { client_id: XTS_KEYS.appKey, client_secret: XTS_KEYS.secretKey },
      settings: {},
    },
    {
      id: 'pos-connector',
      secrets: {
        base_url: posAddress,
        email: POS_USER.email,
        password: POS_USER.password,
        vendor_id: POS_USER.vendorId,
      },
      settings: { nickname: 'Corner shop' },
    },
  ]
}
