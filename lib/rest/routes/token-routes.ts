import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import type { Temporal } from 'temporal-polyfill'
import type { KnownAccount } from '../../accounts/accounts.ts'
import { loginLaterFrom } from '../../accounts/needs.ts'
import { loginAction } from '../../tokens/rules/outcome/advice.ts'
import { assertScope } from '../access.ts'
import { problemOfResult, RestProblem } from '../problem.ts'
import type { RestEnv } from '../rest-env.ts'
import type { RestSite } from '../rest-site.ts'
import { RefreshedSchema, RefreshWish } from './refresh-schemas.ts'
import { json, NAMED_FORMS, needs, problems, throughMiddleware } from './route.ts'
import { Token } from './schemas.ts'
import { tokenFacts, tokenFields } from './token-view.ts'

/**
 * The routes for the access token, and for a fresh one; another installation gets its tokens by these two
 * (R2.5). A key without the scope `token` may ask for a renewal and is told how it ended, without any secret.
 */
export function tokenRoutes(site: RestSite): OpenAPIHono<RestEnv> {
  const { allowed, renewals, tokens, ports } = site
  const { clock, states } = ports
  const app = new OpenAPIHono<RestEnv>()

  for (const { prefix, params, word } of NAMED_FORMS) {
    app.openapi(
      createRoute({
        method: 'get',
        path: `${prefix}/token`,
        operationId: `get${word}Token`,
        tags: ['Token'],
        summary: 'The published access token, ready to be sent to the broker',
        description: 'As it was published last; `live` says whether it still is.',
        ...needs('token'),
        request: { params },
        middleware: throughMiddleware(allowed('token')),
        responses: { 200: json('The token', Token), ...problems(401, 403, 404, 409, 500, 503) },
      }),
      async (context) => {
        const known = await site.accountOf(context)
        const published = await tokens.readToken(known.state.account)
        if (!published) throw missing(known, clock.now())
        site.noted('an access token was handed out', context, known)
        return context.json({ ...tokenFacts(known, published, clock), ...tokenFields(known, published) }, 200)
      },
    )

    app.openapi(
      createRoute({
        method: 'post',
        path: `${prefix}/refresh`,
        operationId: `refresh${word}`,
        tags: ['Token'],
        summary: 'Make sure that the account has a live access token',
        description:
          'For whoever was refused by the broker: name the generation of the token that was refused, and a report ' +
          'about an older one is answered with the present one. Without it the present token is looked at. The broker ' +
          'is asked at most once a minute, and a token is renewed only if the broker refuses it, if it is due, or by ' +
          'force. However many ask at once, there is one renewal.',
        ...needs('refresh'),
        request: { params, body: { content: { 'application/json': { schema: RefreshWish } } } },
        middleware: throughMiddleware(allowed('refresh')),
        responses: {
          200: json('The account has what it can have', RefreshedSchema),
          ...problems(400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 502, 503),
        },
      }),
      async (context) => {
        const { generation, version, force } = context.req.valid('json')
        const caller = context.get('caller')
        if (force) assertScope(caller, 'admin')
        const known = await site.accountOf(context)
        const { account } = known.state
        const reported =
          version === undefined ? { generation: generation ?? known.state.generation } : { version }
        const wish = { reported, ...(force && { forcedAt: clock.now() }) }
        const result = await renewals.renew(known, wish, caller)
        if (!result.success || result.loginHelpsFrom) throw problemOfResult(result)

        const state = (await states.get(account)) ?? known.state
        const published = await tokens.readToken(account)
        const given = caller.scopes.includes('token') ? published : undefined
        if (given) site.noted('an access token was handed out', context, known)
        const after = { broker: known.broker, state }
        const reply = {
          success: true as const,
          outcome: result.outcome,
          reason: result.reason,
          next_action: result.nextAction,
          ...tokenFacts(after, published, clock),
          ...(given && tokenFields(after, given)),
        }
        return context.json(reply, 200)
      },
    )
  }
  return app
}

function missing({ broker, state }: KnownAccount, now: Temporal.Instant): RestProblem {
  const { last } = state
  const from = loginLaterFrom(broker, state, now)
  return from || last?.outcome === 'awaiting_login'
    ? new RestProblem('awaiting_login', 'there is no access token until a person logs in', {
        fix: from
          ? loginAction(broker, state.account, from)
          : 'open the login page, or run tokenkeeper login',
      })
    : new RestProblem('no_token', 'no access token was published so far', {
        fix: 'ask again after the next run, or ask for a refresh',
      })
}
