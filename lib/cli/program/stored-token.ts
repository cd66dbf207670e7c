import type { Temporal } from 'temporal-polyfill'
import type { KnownAccount } from '../../accounts/accounts.ts'
import { loginLaterFrom } from '../../accounts/needs.ts'
import { isRefused } from '../../model/account-state.ts'
import { TokenVaultError } from '../../model/errors.ts'
import { expectedExpiry } from '../../model/expiry/session-model.ts'
import { isBefore } from '../../model/time/instants.ts'
import { localInstant } from '../../model/time/local-time.ts'
import type { Ports } from '../../ports/ports.ts'
import type { StoredSecrets } from '../../ports/token-vault.ts'
import { readStored } from '../../tokens/lease/read-stored.ts'
import { decide } from '../../tokens/rules/decide/decide.ts'
import type { Decision } from '../../tokens/rules/decide/decision.ts'
import { loginAction } from '../../tokens/rules/outcome/advice.ts'
import { unprovenSince } from '../../tokens/rules/token/doubt.ts'
import { type KnownToken, NO_TOKEN, REFUSED, type Remedy, unproven } from './known-token.ts'

/** What is known of an account’s token by its record. What could be done about it is what a run would decide now; it is not done. */
export function tokenOfRecord(known: KnownAccount, ports: Ports): KnownToken {
  const { broker, state } = known
  const { account, accessToken, paused } = state
  const at = (instant: Temporal.Instant): string => localInstant(instant, broker.session.timeZone)
  const since = unprovenSince(state, ports.clock.now())
  const objection = paused
    ? ({ code: 'paused', reason: `paused since ${at(paused.since)}` } as const)
    : !accessToken
      ? NO_TOKEN
      : isRefused(state)
        ? REFUSED
        : since && unproven(since, broker.session.timeZone)
  return {
    account,
    broker,
    ...(accessToken && { expiresAt: accessToken.expiresAt }),
    ...(objection && { objection }),
    remedy: (until) => remedyFor(known, until, ports),
  }
}

async function remedyFor(
  { broker, state }: KnownAccount,
  until: Temporal.Instant | undefined,
  ports: Ports,
): Promise<Remedy> {
  const { account, settings } = state
  if (settings.managedBy === 'external') {
    return {
      code: 'managed_elsewhere',
      fix: `ask whoever manages the account for a new token, and store it: tokenkeeper put ${account} access_token`,
    }
  }
  if (state.paused) return { code: 'paused', fix: `run tokenkeeper resume ${account}` }
  const now = ports.clock.now()
  const stored = await secretsOf({ broker, state }, ports)
  if (!stored) return remedyOnRecord({ broker, state }, now)
  const situation = { broker, state, stored, now, ...(ports.hosts && { hosts: ports.hosts }) }
  const forced = decide({ ...situation, forcedAt: now })
  if (until && mayGain(forced)) {
    const life = state.accessToken?.issuedAt.until(state.accessToken.expiresAt)
    const ceiling = settings.maxLifetimeHours ?? broker.session.maxLifetimeHours
    const ends = expectedExpiry(broker.session.accessToken, now, life, ceiling)
    if (ends && isBefore(ends, until)) {
      const at = localInstant(ends, broker.session.timeZone)
      return { fix: `ask for less: a new token would die ${at}` }
    }
  }
  const isDue = decide(situation).action !== 'fresh'
  switch (forced.action) {
    case 'refresh':
    case 'probe':
    case 'publish_pending':
      return { fix: `run tokenkeeper refresh ${account}${isDue ? '' : ' --force'}` }
    case 'wait':
      return {
        fix: `wait (${forced.reason}): it is tried again from ${localInstant(forced.until, broker.session.timeZone)}`,
      }
    case 'stop':
      return { code: forced.code, fix: forced.fix.replaceAll('{account}', account) }
    case 'ask_later':
      return { code: 'awaiting_login', fix: loginAction(broker, account, forced.from) }
    case 'skip':
      return { code: 'busy', fix: 'ask again in a moment: another run is working on this account' }
    default:
      return { code: 'awaiting_login', fix: `run tokenkeeper login ${account}` }
  }
}

function mayGain({ action }: Decision): boolean {
  return action !== 'stop' && action !== 'skip' && action !== 'paused'
}

/** `undefined` where this machine may not read them, as on AWS. */
async function secretsOf({ broker, state }: KnownAccount, ports: Ports): Promise<StoredSecrets | undefined> {
  try {
    return await readStored(ports, broker, state)
  } catch (error) {
    if (error instanceof TokenVaultError) return undefined
    throw error
  }
}

function remedyOnRecord({ broker, state }: KnownAccount, now: Temporal.Instant): Remedy {
  const { account, last } = state
  const from = loginLaterFrom(broker, state, now)
  if (from) return { code: 'awaiting_login', fix: loginAction(broker, account, from) }
  if (last?.outcome === 'awaiting_login') {
    return { code: 'awaiting_login', fix: `run tokenkeeper login ${account}` }
  }
  if (last?.outcome !== 'failed' || !last.code) return { fix: `run tokenkeeper refresh ${account}` }
  return { code: last.code, fix: last.fix ?? `run tokenkeeper refresh ${account}` }
}
