import type { OpenAPIHono } from '@hono/zod-openapi'
import { SCOPES, type Scope } from '../../model/api-key.ts'
import { VERSION } from '../../model/version.ts'
import type { RestEnv } from '../rest-env.ts'
import { KEY_SCHEME } from './route.ts'

/** What each scope is for. */
export const SCOPE_WORDS: Readonly<Record<Scope, string>> = {
  status: 'read what is on record',
  validate: 'have the broker asked whether a token works',
  token: 'get the access token itself',
  refresh: 'have tokens renewed that are due or were refused',
  update: 'hand in access tokens from elsewhere',
  admin: 'force: renew what is fresh, replace what lives longer; beside refresh or update',
}

const SCOPE_LINES = SCOPES.map((scope) => `\`${scope}\`: ${SCOPE_WORDS[scope]}`)

export type ApiDocument = ReturnType<OpenAPIHono<RestEnv>['getOpenAPI31Document']>

/** The OpenAPI document of the routes, made from the schemas that also check requests. */
export function documentOf(app: OpenAPIHono<RestEnv>): ApiDocument {
  app.openAPIRegistry.registerComponent('securitySchemes', KEY_SCHEME, {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'tk_<id>_<secret>',
    description: `An API key of \`tokenkeeper keys create\`. Its scopes, of which none implies another: ${SCOPE_LINES.join('; ')}.`,
  })
  return app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Tokenkeeper',
      version: VERSION,
      description:
        'Access tokens of brokers, kept alive and proven. Every reply has an X-Request-Id; every problem has a body of ' +
        'type application/problem+json (RFC 9457). An account that is none of a key’s own is answered as one that there is not.',
      license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
    },
    servers: [{ url: '/' }],
    tags: [
      { name: 'Health', description: 'Whether the service answers' },
      { name: 'Status', description: 'Whether tokens are there and work' },
      { name: 'Token', description: 'Tokens themselves' },
      { name: 'Runs', description: 'Runs over accounts, as the scheduler makes them' },
      { name: 'Documentation', description: 'This' },
    ],
  })
}
