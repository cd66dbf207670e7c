import { Hono } from 'hono'
import type { CommandWords } from '../../model/command-words.ts'
import type { ApiKeys } from '../../ports/api-keys.ts'
import type { TokenService } from '../../ports/token-service.ts'
import { tokenService } from '../../tokens/service/token-service.ts'
import { siteApp } from '../../web/app.ts'
import type { ServedWorld } from './served-world.ts'

/** Where a person is while they log in. */
const LOGIN_PAGES = /^\/(login|callback|waiting|receipt|problem)\b/

export interface ServeSiteOptions {
  /** Of times that belong to no account. */
  readonly timeZone: string
  readonly apiKeys: ApiKeys
  /** How its visitors call our command. */
  readonly words: CommandWords
}

/**
 * Everything `serve` answers. Its pages open without a signed link as long as this machine alone can reach them; behind
 * a public address they need one. The same goes for the status of the accounts and an API key, until there is one.
 */
export function serveSite(served: ServedWorld, { timeZone, apiKeys, words }: ServeSiteOptions): Hono {
  const { ports, logins, keys, siteUrl, open, around } = served
  const brokers = served.brokers.map(({ broker }) => broker)
  const site = siteApp({
    brokers,
    ports,
    timeZone,
    words,
    rest: {
      access: open ? 'loopback' : 'keys',
      keys: apiKeys,
      tokens: around ? within(around, tokenService({ brokers, ports })) : tokenService({ brokers, ports }),
    },
    login: { siteUrl, open, logins, keys },
  })
  const app = new Hono()
  app.all('*', (context) => {
    if (LOGIN_PAGES.test(context.req.path)) served.visited()
    return site.fetch(context.req.raw, context.env)
  })
  return app
}

/** The service with something to do around each piece of work, as around each run. */
function within(around: NonNullable<ServedWorld['around']>, tokens: TokenService): TokenService {
  const during = async <T>(work: () => Promise<T>): Promise<T> => {
    let done: { readonly result: T } | undefined
    await around(async () => {
      done = { result: await work() }
    })
    return (done as { readonly result: T }).result
  }
  return {
    refresh: (order) => during(() => tokens.refresh(order)),
    adopt: (order) => during(() => tokens.adopt(order)),
    validate: (order) => during(() => tokens.validate(order)),
    readToken: (account) => tokens.readToken(account),
  }
}
