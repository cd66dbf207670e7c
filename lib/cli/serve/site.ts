import { Hono } from 'hono'
import type { CommandWords } from '../../model/command-words.ts'
import type { ApiKeys } from '../../ports/api-keys.ts'
import type { TokenDesk } from '../../ports/token-desk.ts'
import { tokenDesk } from '../../tokens/service/token-desk.ts'
import { siteApp } from '../../web/app.ts'
import type { Scene } from './scene.ts'

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
export function serveSite(scene: Scene, { timeZone, apiKeys, words }: ServeSiteOptions): Hono {
  const { ports, desk, keys, siteUrl, open, around } = scene
  const brokers = scene.brokers.map(({ broker }) => broker)
  const site = siteApp({
    brokers,
    ports,
    timeZone,
    words,
    rest: {
      access: open ? 'loopback' : 'keys',
      keys: apiKeys,
      desk: around ? within(around, tokenDesk({ brokers, ports })) : tokenDesk({ brokers, ports }),
    },
    login: { siteUrl, open, desk, keys },
  })
  const app = new Hono()
  app.all('*', (context) => {
    if (LOGIN_PAGES.test(context.req.path)) scene.visited()
    return site.fetch(context.req.raw, context.env)
  })
  return app
}

/** The desk with something to do around each piece of work, as around each run. */
function within(around: NonNullable<Scene['around']>, desk: TokenDesk): TokenDesk {
  const during = async <T>(work: () => Promise<T>): Promise<T> => {
    let done: { readonly result: T } | undefined
    await around(async () => {
      done = { result: await work() }
    })
    return (done as { readonly result: T }).result
  }
  return {
    refresh: (order) => during(() => desk.refresh(order)),
    adopt: (order) => during(() => desk.adopt(order)),
    validate: (order) => during(() => desk.validate(order)),
    readToken: (account) => desk.readToken(account),
  }
}
