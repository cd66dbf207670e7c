import { type AccountId, brokerOf } from '../../model/account-id.ts'
import type { AccountState } from '../../model/account-state.ts'
import { TokenkeeperError } from '../../model/errors.ts'
import { maskSecrets } from '../../model/secrets/secret.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { Ports } from '../../ports/ports.ts'
import type { Publication, Subscriber } from '../../ports/subscriber.ts'
import type { StoredSecrets } from '../../ports/token-vault.ts'
import { forAccount } from '../rules/outcome/advice.ts'

/**
 * Tells every subscriber of each published token, and waits for them. Never throws: the token is published
 * even if they do not hear of it.
 */
export async function announce(publications: readonly Publication[], ports: Ports): Promise<void> {
  for (const publication of publications) {
    await toEach(publication.account, ports, (subscriber) => subscriber.onPublished(publication))
  }
}

/**
 * Lets mirrors restore the token that a run found fresh, where they have lost it. Without a mirror it does
 * nothing. Never throws.
 */
export async function announceStillCurrent(
  broker: Broker,
  { account, accessToken: record, generation }: AccountState,
  stored: StoredSecrets,
  ports: Ports,
): Promise<void> {
  if (!ports.subscribers?.some(({ onStillCurrent: kept }) => kept)) return
  const token = stored.get('access_token')
  if (token === undefined || record === undefined || token.version !== record.version) return
  const { issuedAt, expiresAt, provenAt, source } = record
  const publication: Publication = {
    account,
    broker: broker.id,
    timeZone: broker.session.timeZone,
    generation,
    issuedAt,
    expiresAt,
    provenAt,
    source,
    accessToken: token.value,
  }
  await toEach(account, ports, async (subscriber) => subscriber.onStillCurrent?.(publication))
}

/** Has every subscriber forget the token of a paused or removed account. Never throws. */
export async function announceWithdrawn(account: AccountId, ports: Ports): Promise<void> {
  await toEach(account, ports, (subscriber) => subscriber.onWithdrawn(account))
}

async function toEach(
  account: AccountId,
  { subscribers = [], telemetry }: Ports,
  tell: (subscriber: Subscriber) => Promise<void>,
): Promise<void> {
  await Promise.all(
    subscribers.map(async (subscriber) => {
      try {
        await tell(subscriber)
      } catch (error) {
        const reason = maskSecrets(error instanceof Error ? error.message : 'unknown')
        const fix = error instanceof TokenkeeperError ? forAccount(error.fix, account) : ''
        telemetry.count('SubscriberFailed', brokerOf(account))
        telemetry.error(`the ${subscriber.name} failed; the token itself is in its place`, {
          account,
          reason,
          ...(fix && { fix }),
        })
      }
    }),
  )
}
