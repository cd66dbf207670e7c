import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { show } from '../../site/pages/page.ts'
import { noSuchPath, problemOf, problemResponse, RestProblem } from '../problem.ts'
import type { RestEnv, RestOptions } from '../rest-env.ts'
import { restSite } from '../rest-site.ts'
import { docsPage } from './docs-page.ts'
import { type ApiDocument, documentOf } from './document.ts'
import { healthRoute } from './health-route.ts'
import { integrationRoutes } from './integration-routes.ts'
import { needs, problems, throughMiddleware } from './route.ts'
import { statusRoutes } from './status-routes.ts'
import { tokenRoutes } from './token-routes.ts'
import { updateRoutes } from './update-routes.ts'

/**
 * The interface for programs. Every error becomes a problem of problem.ts. Each request costs one look-up of
 * its key; a HEAD does what its GET does, and no more.
 */
export function restRoutes(options: RestOptions): OpenAPIHono<RestEnv> {
  const { telemetry } = options.ports
  const app = new OpenAPIHono<RestEnv>({
    defaultHook: (result) => {
      if (!result.success) throw fieldProblem(result.error)
    },
  })
  app.onError((error, context) => {
    const problem = problemOf(error)
    if (problem.status >= 500) {
      const reason = problem.code === 'internal' ? error.name : problem.message
      telemetry.error('a request could not be answered', { code: problem.code, reason })
    }
    return problemResponse(context, problem)
  })

  app.notFound((context) => problemResponse(context, noSuchPath()))

  const site = restSite(options)
  app.route('/', healthRoute(options))
  app.route('/', statusRoutes(site))
  app.route('/', tokenRoutes(site))
  app.route('/', updateRoutes(site))
  app.route('/', integrationRoutes(site))

  let made: ApiDocument | undefined
  const document = (): ApiDocument => {
    made ??= documentOf(app)
    return made
  }
  const documented = {
    method: 'get' as const,
    tags: ['Documentation'] as string[],
    ...needs('any'),
    middleware: throughMiddleware(site.allowed('any')),
  }
  app.openapi(
    createRoute({
      ...documented,
      path: '/openapi.json',
      operationId: 'getDocument',
      summary: 'This interface as an OpenAPI 3.1 document',
      responses: {
        200: {
          description: 'The document',
          content: { 'application/json': { schema: z.record(z.string(), z.unknown()) } },
        },
        ...problems(401, 500, 503),
      },
    }),
    (context) => context.json(document() as never, 200),
  )
  app.openapi(
    createRoute({
      ...documented,
      path: '/docs',
      operationId: 'getDocs',
      summary: 'The same for people',
      responses: {
        200: { description: 'A page', content: { 'text/html': { schema: z.string() } } },
        ...problems(401, 500, 503),
      },
    }),
    (context) => show(context, docsPage(document())),
  )
  return app
}

/** Names the wrong fields and what they must be, never their values. */
function fieldProblem({ issues }: z.ZodError): RestProblem {
  const errors = issues.map(({ path, message }) => ({ field: path.join('.'), message }))
  const named = errors.map(({ field, message }) => (field === '' ? message : `${field}: ${message}`))
  return new RestProblem('invalid_request', named.join('; '), { fix: 'correct these fields', errors })
}
