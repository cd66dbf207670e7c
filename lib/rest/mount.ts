import type { Context, Hono } from 'hono'
import type { RestOptions } from './rest-env.ts'
import type { restRoutes } from './routes/rest-routes.ts'

/**
 * The paths of the interface; it also answers unknown paths below them. API Gateway must have the same list.
 */
const PATHS = [
  '/health',
  '/token/*',
  '/accounts/*',
  '/api/integration/tokens/*',
  '/openapi.json',
  '/docs',
] as const

/**
 * Adds the interface for programs to a site. It is loaded at the first request for it: its schemas are larger
 * than all of the login page, which a person waits for.
 */
export function mountRest(app: Hono, options: RestOptions): void {
  let loading: Promise<ReturnType<typeof restRoutes>> | undefined
  const answer = async (context: Context): Promise<Response> => {
    loading ??= import('./routes/rest-routes.ts').then(({ restRoutes }) => restRoutes(options))
    return (await loading).fetch(context.req.raw, context.env)
  }
  for (const path of PATHS) app.all(path, answer)
}
