import { Hono } from 'hono'
import { createMiddleware } from 'hono/factory'
import type { Temporal } from 'temporal-polyfill'
import type { AccountId } from '../../model/account-id.ts'
import { TokenkeeperError } from '../../model/errors.ts'
import { shortBody } from '../guards.ts'
import type { LoginSite } from '../login-site.ts'
import { accountOfWebhookPath } from '../webhook-path.ts'

/**
 * More than an approval needs, which is one post that the broker repeats a few times. On AWS, API Gateway
 * limits the posts to all paths together.
 */
const POSTS_PER_MINUTE = 30

/**
 * The route where a broker posts what its customers approved. Nobody signs these posts: they come on a path
 * that cannot be guessed, and the service compares each body with the open request and proves its token.
 *
 * The poster learns nothing: the reply is 200 with an empty body for every body on a known path
 * (lib/brokers/upstox/README.md, Approval), also for one that is too long to be read; 404 for a guessed path,
 * 429 for too many posts.
 */
export function webhookRoutes({ keys, logins, ports }: Pick<LoginSite, 'keys' | 'logins' | 'ports'>): Hono {
  const { clock, telemetry } = ports
  const posts = new Map<AccountId, { readonly since: Temporal.Instant; count: number }>()

  const isFlood = (account: AccountId): boolean => {
    const now = clock.now()
    const minute = posts.get(account)
    if (!minute || minute.since.until(now).total('seconds') >= 60) {
      posts.set(account, { since: now, count: 1 })
      return false
    }
    minute.count += 1
    return minute.count > POSTS_PER_MINUTE
  }

  const knownPath = createMiddleware<{ Variables: { account: AccountId } }>(async (context, next) => {
    const { broker = '', path = '' } = context.req.param() as Partial<Record<'broker' | 'path', string>>
    const account = await accountOfWebhookPath(keys, broker, path)
    if (!account) return context.body(null, 404)
    if (isFlood(account)) return context.body(null, 429)
    context.set('account', account)
    return next()
  })

  return new Hono().post('/webhook/:broker/:path', knownPath, shortBody, async (context) => {
    const account = context.get('account')
    const body = parsed(await context.req.text())
    try {
      if (body !== undefined) await logins.acceptApproval({ account, body })
    } catch (error) {
      const code = error instanceof TokenkeeperError ? error.code : 'internal'
      telemetry.error('a posted approval could not be looked at', { account, code })
    }
    return context.body(null, 200)
  }) as unknown as Hono
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
