import { createRoute, OpenAPIHono, type z } from '@hono/zod-openapi'
import { Temporal } from 'temporal-polyfill'
import { shortId } from '../../accounts/account-status.ts'
import type { KnownAccount } from '../../accounts/accounts.ts'
import { coverage } from '../../accounts/receipt.ts'
import { sessionOf } from '../../markets/session.ts'
import { fingerprint } from '../../model/secrets/fingerprint.ts'
import { Secret } from '../../model/secrets/secret.ts'
import { isAfter } from '../../model/time/instants.ts'
import { parseExpiresAt } from '../../oauth/expires-at.ts'
import type { ServiceRefusal } from '../../ports/token-service.ts'
import { assertScope } from '../access.ts'
import type { Caller } from '../caller.ts'
import { problemOfRefusal, RestProblem } from '../problem.ts'
import { rateLimit } from '../rate-limit.ts'
import type { RestEnv } from '../rest-env.ts'
import type { RestSite } from '../rest-site.ts'
import { ALL_FORMS, json, needs, problems, throughMiddleware } from './route.ts'
import { Update, Updated } from './schemas.ts'

/** Tokens handed in for one account; each costs a call to the broker. */
const PER_ACCOUNT = { count: 6, perSeconds: 60 }
const PER_KEY = { count: 30, perSeconds: 60 }
/** Refusals that are about the token that was handed in, and not about its account. */
const REJECTIONS: ReadonlySet<ServiceRefusal['code']> = new Set([
  'grant_rejected',
  'wrong_account',
  'older_token',
])

/** The routes that take an access token from elsewhere, which is proven before anything is changed (R2.4). */
export function updateRoutes(site: RestSite): OpenAPIHono<RestEnv> {
  const { allowed, directory, tokens, ports } = site
  const app = new OpenAPIHono<RestEnv>()
  const perAccount = rateLimit(PER_ACCOUNT, ports.clock)
  const perKey = rateLimit(PER_KEY, ports.clock)

  /** The account of the path, else of the body, else the default one. */
  const target = async (
    path: KnownAccount | undefined,
    named: string | undefined,
    caller: Caller,
  ): Promise<KnownAccount> => {
    if (named === undefined) return path ?? directory.standard(caller)
    const found = await directory.called(named, caller)
    if (path && found.state.account !== path.state.account) {
      throw wrongField('account_id', 'is another account than the path names')
    }
    return found
  }

  for (const { prefix, params, word } of ALL_FORMS) {
    app.openapi(
      createRoute({
        method: 'post',
        path: `${prefix}/token/update`,
        operationId: `update${word}Token`,
        tags: ['Token'],
        summary: 'Hand in an access token',
        description:
          'The broker is asked whether it is live, and whose it is; only then it is published. Whatever is wrong with ' +
          'it, nothing is changed.',
        ...needs('update'),
        request: { params, body: { required: true, content: { 'application/json': { schema: Update } } } },
        middleware: throughMiddleware(allowed('update')),
        responses: {
          200: json('The token was proven and published', Updated),
          ...problems(400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 502, 503),
        },
      }),
      async (context) => {
        const body = context.req.valid('json')
        const caller = context.get('caller')
        if (body.force) assertScope(caller, 'admin')
        const path = prefix === '' ? undefined : await site.accountOf(context)
        const known = await target(path, body.account_id, caller)
        const { account } = known.state
        const expiresAt = expiryIn(body, known, ports.clock.now())
        perAccount.take(account)
        perKey.take(caller.keyId ?? '')

        const accessToken = new Secret(body.access_token)
        const adopted = await tokens.adopt({
          account,
          accessToken,
          ...(expiresAt && { expiresAt }),
          replaceNewer: body.force === true,
        })
        if ('refused' in adopted) throw problemOfAdoption(adopted)
        site.noted('an access token was handed in', context, known)
        const state = await ports.states.get(account)
        const reply: z.input<typeof Updated> = {
          account_id: shortId(account),
          account,
          stored: true,
          expires_at: adopted.tokenValidity,
          fingerprint: fingerprint(accessToken),
          generation: state?.generation ?? known.state.generation,
          user_id: adopted.userID,
          covers_session: covers(adopted.tokenValidity, known, ports.clock.now()),
        }
        return context.json(reply, 200)
      },
    )
  }
  return app
}

function covers(
  validity: string | null,
  { broker, state }: KnownAccount,
  now: Temporal.Instant,
): boolean | null {
  if (validity === null) return null
  return coverage(sessionOf(broker, state.settings), Temporal.Instant.from(validity), now)?.covers ?? null
}

/** Throws RestProblem for a time that cannot be read or has passed. */
function expiryIn(
  { expires_at: given }: z.output<typeof Update>,
  { broker }: KnownAccount,
  now: Temporal.Instant,
): Temporal.Instant | undefined {
  if (given === undefined) return undefined
  const expiresAt = parseExpiresAt(given, broker.session.timeZone)
  if (!expiresAt) throw wrongField('expires_at', 'is no time that can be read')
  if (!isAfter(expiresAt, now)) throw wrongField('expires_at', 'has passed')
  return expiresAt
}

/** The problem for a token that was not adopted: 422 where the token is at fault. */
function problemOfAdoption(refusal: ServiceRefusal): RestProblem {
  const { code, reason, fix } = refusal
  return REJECTIONS.has(code)
    ? new RestProblem(code, reason, { fix, status: 422 })
    : problemOfRefusal(refusal)
}

function wrongField(field: string, message: string): RestProblem {
  return new RestProblem('invalid_request', `${field} ${message}`, {
    fix: 'correct that field',
    errors: [{ field, message }],
  })
}
