import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import type { Temporal } from 'temporal-polyfill'
import type { KnownAccount } from '../../accounts/accounts.ts'
import { type AccountResult, type RunReport as Report, report } from '../../model/outcome.ts'
import { assertScope } from '../access.ts'
import { noAccounts } from '../directory.ts'
import { problemOfResult } from '../problem.ts'
import { rateLimit } from '../rate-limit.ts'
import type { RestEnv } from '../rest-env.ts'
import type { RestSite } from '../rest-site.ts'
import { ForceWish, RefreshedUser, RunReportSchema } from './refresh-schemas.ts'
import { json, needs, problems, throughMiddleware } from './route.ts'

/** Calls allowed per key: each is a run over all accounts. */
const ALL_PER_KEY = { count: 2, perSeconds: 60 }

const body = { content: { 'application/json': { schema: ForceWish } } }
const STATUSES = [400, 401, 403, 404, 413, 415, 422, 429, 500] as const

/** The two paths of the guide that Tokenkeeper replaces, with its fields (R0.5, R0.6). */
export function integrationRoutes(site: RestSite): OpenAPIHono<RestEnv> {
  const { allowed, directory, renewals, ports } = site
  const app = new OpenAPIHono<RestEnv>()
  const perKey = rateLimit(ALL_PER_KEY, ports.clock)

  app.openapi(
    createRoute({
      method: 'post',
      path: '/api/integration/tokens/refresh-all',
      operationId: 'refreshAll',
      tags: ['Runs'],
      summary: 'A run over all accounts of the key',
      description: 'Accounts that are fresh, paused or managed elsewhere count as skipped.',
      ...needs('refresh'),
      request: { body },
      middleware: throughMiddleware(allowed('refresh')),
      responses: {
        200: json('How it ended for each; `success` says whether for all', RunReportSchema),
        ...problems(...STATUSES, 503),
      },
    }),
    async (context) => {
      const caller = context.get('caller')
      const { force } = context.req.valid('json')
      if (force) assertScope(caller, 'admin')
      const known = await directory.all(caller)
      if (known.length === 0) throw noAccounts()
      perKey.take(caller.keyId ?? '')
      const forcedAt = force ? ports.clock.now() : undefined
      const done = await runOver(known, site, { forcedAt, everyAccount: caller.accounts === undefined })
      return context.json(done, 200)
    },
  )

  app.openapi(
    createRoute({
      method: 'post',
      path: '/api/integration/tokens/refresh/{userID}',
      operationId: 'refreshUser',
      tags: ['Runs'],
      summary: 'A run over one account, named by the broker’s user id or as anywhere else',
      ...needs('refresh'),
      request: {
        params: z.object({ userID: z.string().openapi({ param: { name: 'userID', in: 'path' } }) }),
        body,
      },
      middleware: throughMiddleware(allowed('refresh')),
      responses: {
        200: json('The account has what it can have', RefreshedUser),
        ...problems(...STATUSES, 409, 502, 503),
      },
    }),
    async (context) => {
      const caller = context.get('caller')
      const { force } = context.req.valid('json')
      if (force) assertScope(caller, 'admin')
      const known = await directory.ofUser(context.req.param('userID') ?? '', caller)
      const wish = force ? { forcedAt: ports.clock.now() } : {}
      const result = await renewals.renew(known, wish, caller)
      if (!result.success || result.loginHelpsFrom) throw problemOfResult(result)
      const { account, outcome, reason, userID, clientName, tokenValidity, nextAction } = result
      const success = true as const
      return context.json(
        { success, message: reason, account, outcome, userID, clientName, tokenValidity, nextAction },
        200,
      )
    },
  )
  return app
}

interface Extent {
  readonly forcedAt: Temporal.Instant | undefined
  /** Whether the caller may know all accounts. */
  readonly everyAccount: boolean
}

/** Runs over the accounts of each broker, all brokers at once, since their paces are independent. */
async function runOver(
  known: readonly KnownAccount[],
  { tokens }: RestSite,
  { forcedAt, everyAccount }: Extent,
): Promise<z.input<typeof RunReportSchema>> {
  const brokers = [...new Set(known.map(({ broker }) => broker.id))]
  const results: AccountResult[] = []
  const unreached: string[] = []
  let handedOver = 0
  await Promise.all(
    brokers.map(async (broker) => {
      const own = known.filter((one) => one.broker.id === broker).map(({ state }) => state.account)
      const reply = await tokens.refresh({
        broker,
        ...(!everyAccount && { accounts: own }),
        ...(forcedAt && { forcedAt }),
      })
      if ('refused' in reply) {
        unreached.push(`${broker}: ${reply.reason}`)
        handedOver += own.length
        return
      }
      results.push(...reply.results)
      handedOver += reply.handedOver
    }),
  )
  const done: Report = report(inOrder(results), handedOver)
  const message = [done.message, ...unreached].join('; ')
  return { ...done, success: done.success && unreached.length === 0, message, results: [...done.results] }
}

function inOrder(results: readonly AccountResult[]): readonly AccountResult[] {
  return results.toSorted((a, b) => (a.account < b.account ? -1 : 1))
}
