import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import type { RestEnv } from '../rest-env.ts'
import type { RestSite } from '../rest-site.ts'
import { ALL_FORMS, json, NAMED_FORMS, needs, problems, throughMiddleware } from './route.ts'
import { Status, StatusOfAll, ValidationSchema } from './schemas.ts'
import { recordView, statusView, validationView } from './status-view.ts'

/**
 * For longer lists only the records are read: each token would cost a read of SSM, whose rate is shared with
 * the runs.
 */
const MOST_TOKENS_READ = 20

/**
 * The routes that tell whether each token is there, and whether the broker confirms it (R2.2, R2.3). They
 * never show a token.
 */
export function statusRoutes(site: RestSite): OpenAPIHono<RestEnv> {
  const { allowed, directory, validations, tokens, ports } = site
  const app = new OpenAPIHono<RestEnv>()

  app.openapi(
    createRoute({
      method: 'get',
      path: '/token/status',
      operationId: 'getTokenStatus',
      tags: ['Status'],
      summary: 'The account that stands for all, and a list where there are several',
      ...needs('status'),
      middleware: throughMiddleware(allowed('status')),
      responses: { 200: json('What is on record', StatusOfAll), ...problems(401, 403, 404, 500, 503) },
    }),
    async (context) => {
      const caller = context.get('caller')
      const first = await directory.standard(caller)
      const standard = await statusView(first, tokens, ports.clock)
      const all = await directory.all(caller)
      if (all.length === 1) return context.json(standard, 200)
      const accounts = await Promise.all(
        all.map((known) => {
          if (all.length > MOST_TOKENS_READ) return recordView(known, ports.clock)
          const isFirst = known.state.account === first.state.account
          return isFirst ? standard : statusView(known, tokens, ports.clock)
        }),
      )
      return context.json({ ...standard, accounts }, 200)
    },
  )

  for (const { prefix, params, word } of NAMED_FORMS) {
    app.openapi(
      createRoute({
        method: 'get',
        path: `${prefix}/token/status`,
        operationId: `get${word}TokenStatus`,
        tags: ['Status'],
        summary: 'What is on record of one account, without asking its broker',
        ...needs('status'),
        request: { params },
        middleware: throughMiddleware(allowed('status')),
        responses: { 200: json('What is on record', Status), ...problems(401, 403, 404, 500, 503) },
      }),
      async (context) =>
        context.json(await statusView(await site.accountOf(context), tokens, ports.clock), 200),
    )
  }

  for (const { prefix, params, word } of ALL_FORMS) {
    app.openapi(
      createRoute({
        method: 'get',
        path: `${prefix}/token/validate`,
        operationId: `validate${word}Token`,
        tags: ['Status'],
        summary: 'Whether the broker takes the access token, asked live',
        description:
          'The broker is asked at most once a minute for each account; in between its last answer is repeated, with ' +
          'its time. Nothing is renewed: a token that is not valid is a matter for the next run, or for a refresh.',
        ...needs('validate'),
        request: { params },
        middleware: throughMiddleware(allowed('validate')),
        responses: {
          200: json('What the broker says', ValidationSchema),
          ...problems(401, 403, 404, 409, 429, 500, 502, 503),
        },
      }),
      async (context) => {
        const known = await site.accountOf(context)
        return context.json(validationView(await validations.validate(known, context.get('caller'))), 200)
      },
    )
  }
  return app
}
