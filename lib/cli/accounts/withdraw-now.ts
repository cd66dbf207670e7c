import { type AccountId, brokerOf } from '../../model/account-id.ts'
import { TokenkeeperError } from '../../model/errors.ts'
import type { Composition } from '../backend/composition.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { brokerFor } from './account-arguments.ts'

type WithMirrors = Pick<Composition, 'backend' | 'config' | 'ports' | 'brokers' | 'run'>

/**
 * Has the mirrors forget accounts that were just paused, by a run over them on whichever backend writes the mirrors:
 * it meets nothing but paused accounts and calls no broker. Without a mirror it does nothing. A failure is told on
 * stderr: the accounts are paused, and each later run withdraws them again.
 */
export async function withdrawNow(
  accounts: readonly AccountId[],
  composition: WithMirrors,
  terminal: Pick<Terminal, 'note'>,
): Promise<void> {
  if (!hasMirrors(composition)) return
  for (const [id, paused] of Map.groupBy(accounts, brokerOf)) {
    try {
      const [first] = paused
      if (first) await composition.run({ broker: brokerFor(first, composition), accounts: paused })
    } catch (error) {
      if (!(error instanceof TokenkeeperError)) throw error
      terminal.note(`the mirrors may still hold tokens of ${id}, until the next run: ${error.message}`)
    }
  }
}

function hasMirrors({ backend, config, ports }: WithMirrors): boolean {
  return backend === 'aws' ? config.mirrors.redis !== undefined : (ports.subscribers ?? []).length > 0
}
