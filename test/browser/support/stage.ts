import { configured } from '../../../lib/brokers/configured.ts'
import { BROKERS } from '../../../lib/brokers/index.ts'
import { type LocalServer, openLocalServer } from '../../../lib/local/local-server.ts'
import { type AccountId, parseAccountId } from '../../../lib/model/account-id.ts'
import type { AccountState } from '../../../lib/model/account-state.ts'
import type { Broker } from '../../../lib/ports/broker/broker.ts'
import { FyersSimulator } from '../../../lib/simulators/fyers/fyers-simulator.ts'
import { IiflSimulator } from '../../../lib/simulators/iifl/iifl-simulator.ts'
import type { SimulatorServer } from '../../../lib/simulators/kit/simulator-server.ts'
import { UpstoxSimulator } from '../../../lib/simulators/upstox/upstox-simulator.ts'
import { ZerodhaSimulator } from '../../../lib/simulators/zerodha/zerodha-simulator.ts'
import { loginLinks } from '../../../lib/site/login-links.ts'
import { ensureSigningKey, storedSigningKeys } from '../../../lib/site/signing-keys.ts'
import { webhookPath } from '../../../lib/site/webhook-path.ts'
import { loginService } from '../../../lib/tokens/login/login-service.ts'
import { siteApp } from '../../../lib/web/app.ts'
import { restOf } from '../../support/rest.ts'
import { World } from '../../support/world.ts'

/** Half past seven on a Monday: an hour and three quarters before the market opens. */
const MORNING = '2026-11-23T07:30:00+05:30'

const FYERS_APP = { clientId: 'SIMFYERS01-100', secret: 'SIMULATED-fyers-secret' }
const UPSTOX_APP = { clientId: '00000000-0000-4000-8000-000000000001', secret: 'SIMULATED-upstox-secret' }
const KITE_APP = { apiKey: 'simkiteapikey001', secret: 'SIMULATED-kite-secret' }
const IIFL_USER = {
  clientId: 'SIM10003',
  name: 'FARAH SIMULATED',
  password: 'Simulated-Passw0rd',
  totpSecret: 'JBSWY3DPEHPK3PXP',
  appKey: 'SIMULATED-iifl-app-key',
  appSecret: 'SIMULATED-iifl-app-secret',
}

/** Three accounts that need a person, the brokers they log in at, and our site in front, all over real HTTP. */
export class Stage extends World {
  readonly brokers: readonly Broker[] = [BROKERS.fyers, BROKERS.upstox, BROKERS.zerodha, BROKERS.iifl].map(
    (broker) => configured(broker, { pacingSeconds: 0 }),
  )
  readonly fyers = new FyersSimulator(this.clock, FYERS_APP, [
    { fyId: 'XS00002', name: 'BINA SIMULATED', pin: '1470' },
    { fyId: 'XS00009', name: 'SOMEBODY ELSE', pin: '2580' },
  ])
  iifl = new IiflSimulator(this.clock, [IIFL_USER])
  #site: LocalServer | undefined
  #upstox: UpstoxSimulator | undefined
  #upstoxServer: SimulatorServer | undefined

  static async open(): Promise<Stage> {
    const stage = new Stage(MORNING)
    await stage.#build()
    return stage
  }

  get siteUrl(): string {
    return this.#site?.url ?? ''
  }

  get upstox(): UpstoxSimulator {
    if (!this.#upstox) throw new Error('the stage is not open')
    return this.#upstox
  }

  get phone(): string {
    return `${this.#upstoxServer?.origin}/simulated-phone`
  }

  /** The link of the message about an account. */
  async link(account: string): Promise<string> {
    const alert = this.alerts.findLast((one) => one.account === account)
    if (!alert?.link) throw new Error(`nobody was told of ${account}`)
    return alert.link
  }

  recordOf(account: string): Promise<AccountState> {
    return this.record(parseAccountId(account))
  }

  /** The whole store, to see whether anything has changed. */
  async everything(): Promise<string> {
    const all = []
    for (const broker of this.brokers)
      for await (const state of this.ports.states.list(broker.id)) all.push(state)
    return JSON.stringify(all)
  }

  override async close(): Promise<void> {
    await this.#site?.close()
    await super.close()
  }

  async #build(): Promise<void> {
    // The bare address: what the site is, brokers and links have to know.
    const server = await openLocalServer(0)
    this.#site = server
    await ensureSigningKey(this.ports.vault)
    const keys = storedSigningKeys(this.ports.vault, this.clock)
    const callback = (broker: string): string => `${server.url}/callback/${broker}`
    this.#upstox = new UpstoxSimulator(this.clock, { ...UPSTOX_APP, redirectUri: callback('upstox') }, [
      { userId: 'SIM001', name: 'ASHA SIMULATED' },
    ])
    const kite = new ZerodhaSimulator(this.clock, { ...KITE_APP, redirectUrl: callback('zerodha') }, [
      { userId: 'SIMZ01', name: 'ESHA SIMULATED' },
    ])
    this.#upstoxServer = await this.serve(this.#upstox)
    await this.serve(this.fyers)
    await this.serve(this.iifl)
    await this.serve(kite)
    this.ports = { ...this.ports, links: loginLinks({ keys, siteUrl: server.url, clock: this.clock }) }

    await this.#account(
      'fyers/BINA',
      'Bina',
      { client_id: FYERS_APP.clientId, client_secret: FYERS_APP.secret },
      'XS00002',
    )
    await this.#account(
      'upstox',
      'Asha',
      { client_id: UPSTOX_APP.clientId, client_secret: UPSTOX_APP.secret },
      'SIM001',
    )
    await this.#account(
      'zerodha',
      'Esha',
      { client_id: KITE_APP.apiKey, client_secret: KITE_APP.secret },
      'SIMZ01',
    )
    const path = await webhookPath(keys, 'upstox' as AccountId)
    this.#upstox.notify(server.url + path)

    const logins = loginService({ brokers: this.brokers, ports: this.ports })
    server.answerWith(
      siteApp({
        brokers: this.brokers,
        ports: this.ports,
        timeZone: 'Asia/Kolkata',
        rest: restOf(this, this.brokers),
        // As on AWS: nothing opens without the link of a message.
        login: { logins, keys, siteUrl: server.url, open: false },
      }),
    )
    for (const broker of this.brokers) await this.run(broker)
  }

  async #account(
    id: string,
    nickname: string,
    secrets: Parameters<World['account']>[1],
    userId: string,
  ): Promise<void> {
    const account = await this.account(id, secrets, { nickname })
    await this.change(account, { userId })
  }
}
