import type { Temporal } from 'temporal-polyfill'
import { type SimulatorServer, startSimulator } from '../../../lib/simulators/kit/simulator-server.ts'
import { UpstoxSimulator } from '../../../lib/simulators/upstox/upstox-simulator.ts'
import { ZerodhaSimulator } from '../../../lib/simulators/zerodha/zerodha-simulator.ts'
import { systemClock } from '../../../lib/system-clock.ts'
import { type SimulatedBrokers, variables } from './deployment-brokers.ts'
import { numbered } from './deployment-browser.ts'

export { SIMULATED_CODE as CODE } from '../../../lib/simulators/kit/login-page.ts'

const ZERODHA_APP = {
  apiKey: 'simkiteapikey',
  secret: 'INVENTED+KITE/SECRET?',
  redirectUrl: 'https://not.set.invalid',
}
const UPSTOX_APP = {
  clientId: 'aaaabbbb-0000-4000-8000-ccccddddeeee',
  secret: 'INVENTED+UPSTOX/SECRET?',
  redirectUri: 'https://not.set.invalid',
}
export const PERSON = { userId: 'XX0001', name: 'SIM PERSON ONE' }
export const STRANGER = { userId: 'XX0002', name: 'SIM PERSON TWO' }

/** Zerodha, remembering every code and token it issues: none of them may show up anywhere. */
class RememberingZerodha extends ZerodhaSimulator {
  readonly issued: string[] = []

  override requestTokenFor(userId: string): string {
    return this.#remembered(super.requestTokenFor(userId))
  }

  override accessTokenFor(userId: string): string {
    return this.#remembered(super.accessTokenFor(userId))
  }

  #remembered(token: string): string {
    this.issued.push(token)
    return token
  }
}

/** The same for Upstox. */
class RememberingUpstox extends UpstoxSimulator {
  readonly issued: string[] = []

  override accessTokenFor(userId: string, expiresAt?: Temporal.Instant): string {
    const token = super.accessTokenFor(userId, expiresAt)
    this.issued.push(token)
    return token
  }
}

/** The brokers of a deployment at which people log in. */
export interface LoginBrokers extends SimulatedBrokers {
  readonly zerodha: ZerodhaSimulator
  readonly zerodhaServer: SimulatorServer
  /** Whether Zerodha takes an access token. */
  zerodhaAccepts(accessToken: string | undefined): Promise<boolean>
  readonly upstox: UpstoxSimulator
  /** The access tokens Upstox has issued, in their order. */
  readonly upstoxTokens: readonly string[]
  /** The app as it is registered with Upstox; its addresses are known once the site is. */
  readonly upstoxApp: { redirectUri: string; notifierUrl?: string }
  /** The .env file of the account at Zerodha. */
  zerodhaVariables(): string
  /** The .env file of an account at Upstox with a live access token. */
  upstoxVariables(): string
}

/** Starts them on the real clock: a deployed function knows no other. */
export async function startLoginBrokers(): Promise<LoginBrokers> {
  const zerodha = new RememberingZerodha(systemClock, { ...ZERODHA_APP }, [PERSON, STRANGER])
  const zerodhaServer = await startSimulator(zerodha, { clock: systemClock })
  const upstoxApp = { ...UPSTOX_APP }
  const upstox = new RememberingUpstox(systemClock, upstoxApp, [PERSON, STRANGER])
  const upstoxServer = await startSimulator(upstox, { clock: systemClock })
  return {
    zerodha,
    zerodhaServer,
    async zerodhaAccepts(accessToken) {
      const headers = { authorization: `token ${ZERODHA_APP.apiKey}:${accessToken}` }
      return (await fetch(`${zerodhaServer.origin}/user/profile`, { headers })).ok
    },
    upstox,
    upstoxTokens: upstox.issued,
    upstoxApp,
    settings: {
      zerodha: { pacingSeconds: 0, hosts: zerodhaServer.hosts },
      upstox: { pacingSeconds: 0, hosts: upstoxServer.hosts },
    },
    zerodhaVariables: () =>
      variables({ KITE_API_KEY: ZERODHA_APP.apiKey, KITE_API_SECRET: ZERODHA_APP.secret }),
    upstoxVariables: () =>
      variables({
        UPSTOX_API_KEY: UPSTOX_APP.clientId,
        UPSTOX_API_SECRET: UPSTOX_APP.secret,
        UPSTOX_ACCESS_TOKEN: upstox.accessTokenFor(PERSON.userId),
      }),
    secrets: () => ({
      'the Zerodha app secret': ZERODHA_APP.secret,
      'the Upstox app secret': UPSTOX_APP.secret,
      ...numbered('Zerodha code or token', zerodha.issued),
      ...numbered('Upstox token', upstox.issued),
    }),
    async close() {
      await Promise.all([zerodhaServer.close(), upstoxServer.close()])
    },
  }
}
