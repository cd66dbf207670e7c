import type { Grant } from '../../../lib/ports/broker/broker.ts'
import type { Alert } from '../../../lib/ports/notifier.ts'
import type { WatchedAccount } from './watched-account.ts'

/** I5: whether what a person is told is so, by what the broker would say and not by what our records say. */
export async function isOnlyForPerson(world: WatchedAccount, kind: Alert['kind']): Promise<boolean> {
  const { simulator } = world
  switch (kind) {
    case 'solved':
      return world.isLive()
    case 'login_needed':
      return !(await canHelpItself(world))
    case 'human_action':
      return simulator.isLocked || (await world.stored('password')) !== simulator.password
    case 'token_lost':
      return world.outage?.of === 'vault'
    case 'operator_action':
      return false
  }
}

/** Whether some grant of the ladder would bring a token now. */
async function canHelpItself(world: WatchedAccount): Promise<boolean> {
  for (const grant of world.broker.grants) if (await works(world, grant)) return true
  return false
}

async function works(world: WatchedAccount, grant: Grant): Promise<boolean> {
  const { simulator, broker } = world
  const { settings, ambiguous, unconfirmed } = await world.record()
  if (grant.enabled?.(settings, broker.hosts) === false) return false
  for (const need of grant.needs) if ((await world.stored(need)) === undefined) return false
  switch (grant.kind) {
    case 'refresh_token':
      // The one hole nobody can close: it may have been spent, and sending it to find out could revoke everything.
      if (ambiguous?.grant === grant.kind && ambiguous.repeats >= Number(grant.repeatsAfterAmbiguity))
        return false
      return simulator.accepts(await world.stored('refresh_token'))
    case 'credentials':
      // Sent once, and nobody knows whether it was right: one more try could lock the account.
      if (unconfirmed?.password) return false
      return !simulator.isLocked && (await world.stored('password')) === simulator.password
    case 'upstream':
      return !simulator.upstreamRefuses
  }
}
