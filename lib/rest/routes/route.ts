import { z } from '@hono/zod-openapi'
import type { MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { requestId } from 'hono/request-id'
import type { RequiredScope } from '../access.ts'
import { PROBLEM_TYPE, RestProblem } from '../problem.ts'
import type { RestEnv } from '../rest-env.ts'
import { Problem } from './schemas.ts'

/** The name of the security scheme in the document. */
export const KEY_SCHEME = 'apiKey'
/** Room for a token, which has at most 8 kB, and the other fields. */
const LONGEST_BODY_BYTES = 16 * 1024
const LONGEST_REQUEST_ID = 100

/** One form of naming an account in a path. Each path about one account exists in several forms. */
export interface AccountForm {
  readonly prefix: string
  readonly params: z.ZodObject
  /** Part of the operation's id. */
  readonly word: string
}

const Name = (name: string, example: string) => z.string().openapi({ param: { name, in: 'path' }, example })

/** `/accounts/ACC1/…` by bare name or a broker's own, `/accounts/upstox/ACC1/…` by the whole id. */
export const NAMED_FORMS: readonly AccountForm[] = [
  { prefix: '/accounts/{id}', word: 'Account', params: z.object({ id: Name('id', 'ACC1') }) },
  {
    prefix: '/accounts/{broker}/{name}',
    word: 'BrokerAccount',
    params: z.object({ broker: Name('broker', 'upstox'), name: Name('name', 'ACC1') }),
  },
]

/** The default account, without a name in the path, and the two forms above. */
export const ALL_FORMS: readonly AccountForm[] = [
  { prefix: '', word: '', params: z.object({}) },
  ...NAMED_FORMS,
]

const BASE_MIDDLEWARE: readonly MiddlewareHandler[] = [
  requestId({ limitLength: LONGEST_REQUEST_ID }),
  async (context, next) => {
    await next()
    context.header('cache-control', 'no-store')
  },
]

/** The middleware of every route: the request's id, then `own`, then the limits of a body. */
export function throughMiddleware(...own: MiddlewareHandler<RestEnv>[]): MiddlewareHandler[] {
  return [...BASE_MIDDLEWARE, ...(own as MiddlewareHandler[]), shortBody, withoutEmptyBody]
}

/** The part of a route's document that says which key it needs. */
export function needs(need: RequiredScope): { readonly security: { [KEY_SCHEME]: string[] }[] } {
  return { security: [{ [KEY_SCHEME]: need === 'any' ? [] : [need] }] }
}

const SAYS: Readonly<Record<number, string>> = {
  400: 'The body is not JSON',
  401: 'No API key, or none that is good',
  403: 'The key lacks a scope',
  404: 'There is no such account, or it is none of this key’s',
  409: 'Somebody must act before this can work; code and fix say who and how',
  413: 'The body is larger than 16 kB',
  415: 'The body is not of the type application/json',
  422: 'A field is wrong, or the access token was rejected; nothing was changed',
  429: 'Too many requests',
  500: 'Something unforeseen',
  502: 'The broker’s reply was not understood',
  503: 'A storage or the broker did not answer, or another run is at work',
}
const WAITS: ReadonlySet<number> = new Set([429, 503])

/** The documented problems of a route; each has a body of the same shape. */
export function problems(...statuses: readonly number[]): object {
  return Object.fromEntries(
    statuses.map((status) => [
      status,
      {
        description: SAYS[status],
        content: { [PROBLEM_TYPE]: { schema: Problem } },
        ...(WAITS.has(status) && {
          headers: { 'Retry-After': { description: 'Seconds to wait', schema: { type: 'integer' } } },
        }),
      },
    ]),
  )
}

/** A documented reply of JSON. */
export function json<Schema extends z.ZodType>(description: string, schema: Schema) {
  return { description, content: { 'application/json': { schema } } }
}

const shortBody: MiddlewareHandler = bodyLimit({
  maxSize: LONGEST_BODY_BYTES,
  onError: () => {
    throw new RestProblem('body_too_large', `a body has at most ${LONGEST_BODY_BYTES} bytes`, {
      fix: 'send the fields of the documentation and nothing else',
    })
  },
})

/** Drops the content type of an empty body: some clients announce JSON and then send nothing. */
const withoutEmptyBody: MiddlewareHandler = async (context, next) => {
  const announced = context.req.header('content-type') !== undefined
  if (announced && context.req.method === 'POST' && (await context.req.text()) === '') {
    const headers = new Headers(context.req.raw.headers)
    headers.delete('content-type')
    context.req.raw = new Request(context.req.url, { method: 'POST', headers })
  }
  return next()
}
