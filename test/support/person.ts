import type { AccountId } from '../../lib/model/account-id.ts'
import type { LoginResult } from '../../lib/model/account-state.ts'
import type { Broker } from '../../lib/ports/broker/broker.ts'
import type { FinishOrder, LoginService } from '../../lib/ports/login-service.ts'
import { SIMULATED_CODE } from '../../lib/simulators/kit/login-page.ts'
import { loginService } from '../../lib/tokens/login/login-service.ts'
import { success } from './login-world.ts'
import type { World } from './world.ts'

const BROWSER = 'sha256-of-the-cookie'
/** Edges block clients that say what library they are made of. */
const HEADERS = { 'user-agent': 'Mozilla/5.0 (simulated person)' }

/** Somebody with a browser at one broker's own pages, and the service behind ours. */
export class Person {
  readonly logins: LoginService
  readonly #world: World
  readonly #broker: Broker
  readonly #account: AccountId

  constructor(world: World, broker: Broker, account: AccountId) {
    this.#world = world
    this.#broker = broker
    this.#account = account
    this.logins = loginService({ brokers: [broker], ports: world.ports })
  }

  /** The address of the broker's login page. */
  async begin(): Promise<string> {
    const callbackUrl = `https://tokens.example.invalid/callback/${this.#broker.id}`
    const order = { account: this.#account, browser: BROWSER, callbackUrl }
    return success(await this.logins.start(order)).authorizationUrl
  }

  /** Fills in the broker's page; where it sends the browser. */
  async atBroker(address: string, answers: Record<string, string> = {}): Promise<URL> {
    const page = await (await fetch(address, { headers: HEADERS })).text()
    const hidden = [...page.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)]
    const action = /<form method="post" action="([^"]*)"/.exec(page)?.[1] ?? ''
    const user = /<option value="([^"]*)"/.exec(page)?.[1] ?? ''
    const body = new URLSearchParams({ user, code: SIMULATED_CODE, decision: 'approve', ...answers })
    for (const [, name = '', value = ''] of hidden) body.set(name, value.replaceAll('&amp;', '&'))
    const reply = await fetch(new URL(action, address), {
      method: 'POST',
      body,
      headers: HEADERS,
      redirect: 'manual',
    })
    return new URL(reply.headers.get('location') ?? 'about:blank')
  }

  async comeBack(address: URL): Promise<LoginResult> {
    const query = address.search.slice(1)
    return this.finish({ by: 'redirect', broker: this.#broker.id, query, browser: BROWSER })
  }

  async finish(order: FinishOrder): Promise<LoginResult> {
    const { loginId } = success(await this.logins.finish(order))
    const record = await this.#world.ports.states.get(this.#account)
    const result = record?.logins?.find(({ id }) => id === loginId)?.result
    if (!result) throw new Error('this login has not ended')
    return result
  }

  /** The whole way. */
  async logIn(answers: Record<string, string> = {}): Promise<LoginResult> {
    return this.comeBack(await this.atBroker(await this.begin(), answers))
  }
}
