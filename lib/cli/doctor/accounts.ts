import { statusOf } from '../../accounts/account-status.ts'
import type { KnownAccount } from '../../accounts/accounts.ts'
import { TokenkeeperError } from '../../model/errors.ts'
import { namesOf } from '../../tokens/lease/read-stored.ts'
import { forAccount } from '../../tokens/rules/outcome/advice.ts'
import type { Composition } from '../backend/composition.ts'
import { type Finding, fail, pass, warn } from './finding.ts'

/** An account's credentials: there, well-formed, and enough for at least one way to a token. */
export async function accountFindings(
  { broker, state }: KnownAccount,
  { ports }: Composition,
): Promise<readonly Finding[]> {
  const { account, settings } = state
  if (settings.managedBy === 'external') return [pass(account, 'managed elsewhere')]
  try {
    const stored = await ports.vault.read(account, namesOf(broker))
    const again = `run tokenkeeper setup ${account}`
    const missing = broker.credentials.filter(({ name, required }) => required && !stored.has(name))
    const malformed = broker.credentials.flatMap(({ name, problem }) => {
      const value = stored.get(name)?.value
      const wrong = value && problem?.(value.reveal())
      return wrong ? [fail(account, `the stored ${name} is malformed: ${wrong}`, again)] : []
    })
    const usable = broker.grants.filter(
      (grant) =>
        grant.enabled?.(settings, { ...broker.hosts, ...ports.hosts }) !== false &&
        grant.needs.every((name) => stored.has(name)),
    )
    // What most brokers demand is no fault of a set-up.
    const renewal =
      usable.length === 0
        ? 'a person logs in for each token'
        : `renews by ${usable.map(({ kind }) => kind).join(', then ')}`
    const findings = [
      ...malformed,
      ...(missing.length > 0
        ? [fail(account, `not stored: ${missing.map(({ name }) => name).join(', ')}`, again)]
        : [pass(account, `credentials are there; ${renewal}`)]),
    ]
    return [...findings, ...tokenFindings({ broker, state }, ports.clock.now())]
  } catch (error) {
    if (error instanceof TokenkeeperError)
      return [fail(account, error.message, forAccount(error.fix, account))]
    throw error
  }
}

function tokenFindings(
  { broker, state }: KnownAccount,
  now: Parameters<typeof statusOf>[2],
): readonly Finding[] {
  const status = statusOf(broker, state, now)
  const findings: Finding[] = []
  if (status.lastError) {
    findings.push(
      warn(state.account, `last run: ${status.lastError.reason}`, status.lastError.fix ?? status.nextAction),
    )
  }
  return findings
}
