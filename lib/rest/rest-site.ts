import type { Context, MiddlewareHandler } from 'hono'
import type { KnownAccount } from '../accounts/accounts.ts'
import { accessTo, type RequiredScope } from './access.ts'
import { type Directory, directory } from './directory.ts'
import { type Renewals, renewals } from './renewals.ts'
import type { RestEnv, RestOptions } from './rest-env.ts'
import { type Validations, validations } from './validations.ts'

/** What all routes share, so that limits and answers hold for all of them. */
export interface RestSite extends RestOptions {
  readonly directory: Directory
  readonly renewals: Renewals
  readonly validations: Validations
  /** The middleware that lets a request through to a route, or ends it with 401 or 403. */
  allowed(need: RequiredScope): MiddlewareHandler<RestEnv>
  /** The account that the path names, or the default one. Throws RestProblem, StateStoreError. */
  accountOf(context: Context<RestEnv>): Promise<KnownAccount>
  /** Logs who was given what: key, account and request, never a token. */
  noted(what: string, context: Context<RestEnv>, known: KnownAccount): void
}

/** Puts together what all routes share. */
export function restSite(options: RestOptions): RestSite {
  const { ports } = options
  const accounts = directory(options)
  return {
    ...options,
    directory: accounts,
    renewals: renewals(options),
    validations: validations(options),
    allowed: accessTo({ ...options, clock: ports.clock }),
    async accountOf(context) {
      const caller = context.get('caller')
      const { id, broker, name } = context.req.param() as Partial<Record<'id' | 'broker' | 'name', string>>
      if (id !== undefined) return accounts.called(id, caller)
      return name === undefined ? accounts.standard(caller) : accounts.called(`${broker}/${name}`, caller)
    },
    noted(what, context, { state }) {
      ports.telemetry.info(what, {
        account: state.account,
        key: context.get('caller').keyId,
        request: context.get('requestId'),
      })
    },
  }
}
