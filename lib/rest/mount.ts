import type { Context, Hono } from 'hono'
import type { RestOptions } from './rest-env.ts'
import type { restRoutes } from './routes/rest-routes.ts'

/** Below these every path is the interface's, those there are not included. API Gateway must know them as well. */
const PATHS = [
  '/health',
  '/token/*',
  '/accounts/*',
  '/api/integration/tokens/*',
  '/openapi.json',
  '/docs',
] as const

/**
 * Puts the interface for programs on a site. It is loaded at the first request for it: the schemas weigh more than all
 * of the login page, and a person waits for that.
 */
export function mountRest(app: Hono, options: RestOptions): void {
  let loading: Promise<ReturnType<typeof restRoutes>> | undefined
  const answer = async (context: Context): Promise<Response> => {
    loading ??= import('./routes/rest-routes.ts').then(({ restRoutes }) => restRoutes(options))
    return (await loading).fetch(context.req.raw, context.env)
  }
  for (const path of PATHS) app.all(path, answer)
}
