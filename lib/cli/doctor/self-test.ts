import { createClient } from '../../client/client.ts'
import { localInstant } from '../../model/time/local-time.ts'
import type { AccountsWish } from '../accounts/account-arguments.ts'
import type { Composition } from '../backend/composition.ts'
import type { ProgramAccount } from '../program/accounts.ts'
import { programAccounts } from '../program/stores.ts'
import { type Finding, fail, pass, warn } from './finding.ts'

const SOON_MINUTES = 30

/**
 * The story a program goes through, played with an account (requirement R4.7): it gets a token, the broker takes it, the
 * token counts as expired and is renewed, the broker takes the new one, and how soon that one ends. It renews, so it
 * costs what a renewal costs.
 */
export async function selfTest(wish: AccountsWish, composition: Composition): Promise<readonly Finding[]> {
  const { accounts: opened } = await programAccounts(wish.accounts, composition, wish)
  const findings: Finding[] = []
  for (const account of opened) findings.push(...(await play(account, composition)))
  return findings
}

async function play(account: ProgramAccount, { ports: { clock } }: Composition): Promise<readonly Finding[]> {
  const { source } = account
  const findings: Finding[] = []
  const client = createClient({ source, clock })
  const until = (expiresAt: Parameters<typeof localInstant>[0] | undefined): string =>
    expiresAt
      ? `valid until ${localInstant(expiresAt, source.broker.session.timeZone)}`
      : 'its end is not known'
  try {
    const first = await client.ensureValidToken()
    findings.push(pass(source.account, `has a token, ${until(first.expiresAt)}`))
    findings.push(await taken(account, 'the broker takes it'))
    const second = await client.authenticate({ force: true })
    findings.push(pass(source.account, `was renewed as if it had expired, ${until(second.expiresAt)}`))
    findings.push(await taken(account, 'the broker takes the new one'))
    findings.push(
      (await client.isTokenExpiringSoon(SOON_MINUTES))
        ? warn(source.account, `ends within ${SOON_MINUTES} minutes: each call would renew it`)
        : pass(source.account, `does not end within ${SOON_MINUTES} minutes`),
    )
  } catch (error) {
    if (!(error instanceof Error && 'fix' in error)) throw error
    findings.push(fail(source.account, error.message, String(error.fix)))
  } finally {
    await client.close()
  }
  return findings
}

async function taken({ source, validate }: ProgramAccount, says: string): Promise<Finding> {
  const verdict = await validate()
  if ('refused' in verdict) return fail(source.account, verdict.reason, verdict.fix)
  if (verdict.valid) return pass(source.account, says)
  const { reason, fix } = verdict.problem ?? { reason: 'the broker refuses it', fix: 'look at the status' }
  return fail(source.account, reason, fix)
}
