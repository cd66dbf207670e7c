import type { AccountId } from '../../lib/model/account-id.ts'
import type { LoginResult } from '../../lib/model/account-state.ts'
import type { Broker } from '../../lib/ports/broker/broker.ts'
import type { Finished, LoginService, Refusal, Started } from '../../lib/ports/login-service.ts'
import type { SimulatorServer } from '../../lib/simulators/kit/simulator-server.ts'
import { loginService } from '../../lib/tokens/login/login-service.ts'
import { type TokenStatus, tokenStatus } from '../../lib/tokens/rules/token/token-status.ts'
import { LoginBrokerSimulator, loginbroker } from './login-broker.ts'
import { World } from './world.ts'

export const BROWSER = 'sha256-of-the-cookie'
export const CALLBACK = 'https://tokens.example.invalid/callback/loginbroker'

/** A world with one broker to log in at, and the shorthands its tests speak. */
export class LoginWorld extends World {
  readonly broker: Broker = loginbroker
  readonly simulator = new LoginBrokerSimulator(this.clock)

  /** What serves the simulator, once the world is open. */
  server!: SimulatorServer

  static async open(start?: string): Promise<LoginWorld> {
    const world = new LoginWorld(start)
    world.server = await world.serve(world.simulator)
    return world
  }

  get logins(): LoginService {
    return loginService({ brokers: [this.broker], ports: this.ports })
  }

  async loginAccount(id = 'loginbroker'): Promise<AccountId> {
    return this.account(id, { client_id: 'SIM-APP', client_secret: 'SIMULATED-client-secret' })
  }

  /** Opens a login and gives the one-time state of its address. */
  async begin(account: AccountId, browser = BROWSER): Promise<string> {
    const started = success(await this.logins.start({ account, browser, callbackUrl: CALLBACK }))
    return new URL(started.authorizationUrl).searchParams.get('state') ?? ''
  }

  async callback(
    query: Record<string, string>,
    options: { browser?: string; broker?: string } = {},
  ): Promise<Finished | Refusal> {
    return this.logins.finish({
      by: 'redirect',
      broker: options.broker ?? this.broker.id,
      query: new URLSearchParams(query).toString(),
      browser: options.browser ?? BROWSER,
    })
  }

  /** The whole login of `user`, and how it ended. */
  async logIn(account: AccountId, user = 'SIM001'): Promise<LoginResult> {
    const state = await this.begin(account)
    const finished = success(await this.callback({ state, code: this.simulator.codeFor(user) }))
    return this.resultOf(account, finished.loginId)
  }

  /** What is known of the published token just now. */
  async tokenStatus(account: AccountId): Promise<TokenStatus> {
    return tokenStatus(await this.record(account), this.clock.now())
  }

  async resultOf(account: AccountId, loginId: string): Promise<LoginResult> {
    const attempt = (await this.record(account)).logins?.find(({ id }) => id === loginId)
    if (!attempt?.result) throw new Error('this login has not ended')
    return attempt.result
  }
}

/** What the service gave when it did not refuse. */
export function success<Reply extends Started | Finished | { asked: true }>(reply: Reply | Refusal): Reply {
  if ('refused' in reply) throw new Error(`refused: ${reply.code}: ${reply.reason}`)
  return reply
}
