import { createRoute, OpenAPIHono, type z } from '@hono/zod-openapi'
import { type KnownAccount, knownAccounts } from '../../accounts/accounts.ts'
import { VERSION } from '../../model/version.ts'
import { loginHelpsFrom } from '../../tokens/rules/token/login-helps.ts'
import { isLive, tokenStatus } from '../../tokens/rules/token/token-status.ts'
import type { RestEnv, RestOptions } from '../rest-env.ts'
import { json, problems, throughMiddleware } from './route.ts'
import { Health } from './schemas.ts'

const route = createRoute({
  method: 'get',
  path: '/health',
  operationId: 'getHealth',
  tags: ['Health'],
  summary: 'Whether the service answers, and how many tokens are there',
  description: 'Needs no key and names no account.',
  security: [],
  middleware: throughMiddleware(),
  responses: {
    200: json('The service is well, whether or not all tokens are', Health),
    ...problems(500, 503),
  },
})

/** The route that tells how many tokens are live, and the time (R2.1). */
export function healthRoute({ brokers, ports, timeZone }: RestOptions): OpenAPIHono<RestEnv> {
  const { states, clock } = ports
  return new OpenAPIHono<RestEnv>().openapi(route, async (context) => {
    const now = clock.now()
    const kept = (await knownAccounts(brokers, states)).filter(
      ({ state }) => state.settings.managedBy === undefined,
    )
    const count = (counts: (known: KnownAccount) => boolean): number => kept.filter(counts).length
    const live = count(({ state }) => isLive(state, now))
    const missing = count(({ state }) => state.accessToken === undefined)
    const unproven = count(({ state }) => tokenStatus(state, now) === 'unproven')
    const health: z.input<typeof Health> = {
      // The service is well even if a token is not (R2.6); `tokens` tells whether all are.
      status: 'ok',
      tokens: wordFor(live, kept.length),
      accounts: {
        total: kept.length,
        live,
        expired: kept.length - live - missing - unproven,
        unproven,
        missing,
        awaiting_login: count(
          ({ broker, state }) =>
            state.last?.outcome === 'awaiting_login' && !loginHelpsFrom(broker, state, now),
        ),
      },
      version: VERSION,
      time: now.toString({ timeZone, smallestUnit: 'second' }),
    }
    return context.json(health, 200)
  })
}

function wordFor(live: number, total: number): z.input<typeof Health>['tokens'] {
  if (total === 0) return 'none'
  if (live === total) return 'available'
  return live > 0 ? 'partial' : 'unavailable'
}
