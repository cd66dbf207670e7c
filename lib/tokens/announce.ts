import type { Audience, Publication } from '../ports/audience.ts'
import type { Ports } from '../ports/ports.ts'
import { type AccountId, brokerOf } from './account-id.ts'
import { maskSecrets } from './secret.ts'

/** Tells every audience of what was published. Never throws: the token is there whether or not they know. */
export async function announce(publications: readonly Publication[], ports: Ports): Promise<void> {
  for (const publication of publications) {
    await toEach(publication.account, ports, (audience) => audience.published(publication))
  }
}

/** Has every audience forget a paused or removed account. Never throws. */
export async function withdraw(account: AccountId, ports: Ports): Promise<void> {
  await toEach(account, ports, (audience) => audience.withdrawn(account))
}

async function toEach(
  account: AccountId,
  { audiences = [], telemetry }: Ports,
  tell: (audience: Audience) => Promise<void>,
): Promise<void> {
  await Promise.all(
    audiences.map(async (audience) => {
      try {
        await tell(audience)
      } catch (error) {
        const reason = maskSecrets(error instanceof Error ? error.message : 'unknown')
        telemetry.count('AudienceFailed', brokerOf(account))
        telemetry.error(`the ${audience.name} failed; the token itself is in its place`, { account, reason })
      }
    }),
  )
}
