import type { FinishOrder } from '../../../lib/ports/login-service.ts'
import { finishLogin } from '../../../lib/tokens/login/finish.ts'
import { startLogin } from '../../../lib/tokens/login/start.ts'
import { ASKED, type Before, tolerant, WITH_TOKEN } from './before.ts'
import type { CutWorld } from './cut-world.ts'
import { STRANGER } from './one-session-simulator.ts'
import type { Act, Scenario } from './scenario.ts'

const BROWSER = 'sha256-of-the-cookie'
const CALLBACK = 'https://site.invalid/callback/cutbroker'
/** What a login may wait for its turn, and then holds the account. */
const SECONDS = 66

/** Whether the reply says whose login it is and brings a refresh token, and who comes. */
interface Login {
  readonly title: string
  readonly namesUser?: false
  readonly givesRefreshToken?: false
  readonly user?: string
}

const PLAIN: Login = { title: 'a login' }
const NAMELESS: Login = { title: 'a login whose reply names nobody', namesUser: false }
const OTHERS: readonly Login[] = [
  { title: 'a login without a refresh token', givesRefreshToken: false },
  { title: 'the login of a stranger', user: STRANGER },
  { title: 'the login of a nameless stranger', namesUser: false, user: STRANGER },
]

function byRedirect(login: Login, before: Before, isVariant: boolean): Scenario {
  return {
    title: `${login.title} ${before.title}`,
    mints: '/exchange',
    seconds: SECONDS,
    isVariant,
    async prepare(world) {
      await before.prepare(world)
      const { simulator, broker, account } = world
      const order = { account, browser: BROWSER, callbackUrl: CALLBACK }
      const { authorizationUrl } = await startLogin(order, broker, world.ports())
      const state = new URL(authorizationUrl).searchParams.get('state') ?? ''
      const query = new URLSearchParams({ state, code: simulator.newCode(login.user) }).toString()
      simulator.namesUser = login.namesUser ?? true
      simulator.givesRefreshToken = login.givesRefreshToken ?? true
      return finishing(world, { by: 'redirect', broker: broker.id, query, browser: BROWSER })
    },
  }
}

/** The end of a login; whoever sees no receipt reloads. */
function finishing(world: CutWorld, order: FinishOrder): Act {
  return {
    work: (ports) => finishLogin(order, world.broker, ports),
    meanwhile: tolerant(() => finishLogin(order, world.broker, world.ports(SECONDS))),
  }
}

const BARE_CODE: Scenario = {
  title: 'a code copied by hand',
  mints: '/exchange',
  seconds: SECONDS,
  async prepare(world) {
    await ASKED.prepare(world)
    return finishing(world, { by: 'code', account: world.account, code: world.simulator.newCode() })
  },
}

export const LOGINS: readonly Scenario[] = [
  byRedirect(PLAIN, WITH_TOKEN, false),
  byRedirect(PLAIN, ASKED, true),
  byRedirect(NAMELESS, WITH_TOKEN, true),
  byRedirect(NAMELESS, ASKED, false),
  ...OTHERS.flatMap((login) => [byRedirect(login, WITH_TOKEN, true), byRedirect(login, ASKED, true)]),
  BARE_CODE,
]
