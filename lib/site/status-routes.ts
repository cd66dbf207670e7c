import { createHash } from 'node:crypto'
import { Hono } from 'hono'
import type { Broker } from '../ports/broker.ts'
import type { Ports } from '../ports/ports.ts'
import type { Secret } from '../tokens/secret.ts'
import { VERSION } from '../version.ts'
import { isLive, shortId, statusOf } from './account-status.ts'
import { accountCalled, defaultAccount, type KnownAccount, knownAccounts } from './accounts.ts'

const FINGERPRINT_CHARACTERS = 16

export interface StatusOptions {
  readonly brokers: readonly Broker[]
  readonly ports: Pick<Ports, 'states' | 'vault' | 'clock'>
  /** The zone of times that belong to no account. */
  readonly timeZone: string
}

/** How many tokens are there, and the time; no account's name. */
export function healthRoute({ brokers, ports, timeZone }: StatusOptions): Hono {
  const { states, clock } = ports
  const app = new Hono()

  app.get('/health', async (context) => {
    const now = clock.now()
    const kept = (await knownAccounts(brokers, states)).filter(
      ({ state }) => state.settings.managedBy === undefined,
    )
    const live = kept.filter(({ state }) => isLive(state, now)).length
    const missing = kept.filter(({ state }) => state.accessToken === undefined).length
    const waiting = kept.filter(({ state }) => state.last?.outcome === 'awaiting_login').length
    return context.json({
      // The service is well even when a token is not (R2.6); whether all are there is a word of its own.
      status: 'ok',
      tokens:
        kept.length === 0
          ? 'none'
          : live === kept.length
            ? 'available'
            : live > 0
              ? 'partial'
              : 'unavailable',
      accounts: {
        total: kept.length,
        live,
        expired: kept.length - live - missing,
        missing,
        awaiting_login: waiting,
      },
      version: VERSION,
      time: now.toString({ timeZone, smallestUnit: 'second' }),
    })
  })
  return app
}

/** Whether each token is there, never a token. Shapes as in token-service, section 4. */
export function statusRoutes({ brokers, ports }: StatusOptions): Hono {
  const { states, vault, clock } = ports
  const app = new Hono()

  app.get('/token/status', async (context) => {
    const known = await knownAccounts(brokers, states)
    const chosen = defaultAccount(known)
    if (!chosen) return context.json(errorBody('no_accounts', 'no account is set up: tokenkeeper setup'), 404)
    const status = await statusReply(chosen)
    if (known.length === 1) return context.json(status)
    return context.json({ ...status, accounts: await Promise.all(known.map(statusReply)) })
  })

  for (const path of ['/accounts/:id/token/status', '/accounts/:broker/:name/token/status'] as const) {
    app.get(path, async (context) => {
      const { id, broker, name } = context.req.param() as Partial<Record<'id' | 'broker' | 'name', string>>
      const asked = id ?? `${broker}/${name}`
      const account = accountCalled(asked, await knownAccounts(brokers, states))
      if (account) return context.json(await statusReply(account))
      return context.json(
        errorBody('unknown_account', 'there is no such account; write broker/account', asked),
        404,
      )
    })
  }

  async function statusReply({ broker, state }: KnownAccount): Promise<Record<string, unknown>> {
    const now = clock.now()
    const status = statusOf(broker, state, now)
    const stored = (await vault.read(state.account, ['access_token'])).get('access_token')
    const expiresAt = state.accessToken?.expiresAt
    return {
      account_id: shortId(state.account),
      account: status.account,
      state: status.state,
      live: status.live && stored !== undefined,
      summary: status.summary,
      expires_at: status.expiresAt,
      expires_in: expiresAt ? Math.max(0, Math.floor(now.until(expiresAt).total('seconds'))) : null,
      expiry_decided_by: status.expiryDecidedBy,
      issued_at: status.issuedAt,
      last_validated_at: status.provenAt,
      source: status.source,
      generation: status.generation,
      fingerprint: stored ? fingerprint(stored.value) : null,
      next_action: status.nextAction,
      last_error: status.lastError,
    }
  }
  return app
}

/** Lets a consumer see whether it holds the same token, by computing the same from its own. */
function fingerprint(token: Secret): string {
  return createHash('sha256').update(token.reveal()).digest('hex').slice(0, FINGERPRINT_CHARACTERS)
}

export function errorBody(code: string, message: string, accountId?: string): Record<string, unknown> {
  return { error: { code, message, ...(accountId !== undefined && { account_id: accountId.slice(0, 100) }) } }
}
