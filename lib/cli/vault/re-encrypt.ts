import { ssmClient } from '../../aws/clients.ts'
import { parametersBelow, tryKey } from '../../aws/stored-parameters.ts'
import { BROKERS } from '../../brokers/index.ts'
import { type AccountId, brokerOf } from '../../model/account-id.ts'
import { ConfigurationError, TokenkeeperError } from '../../model/errors.ts'
import type { SecretName } from '../../model/secrets/secret-name.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import { forAccount } from '../../tokens/rules/outcome/advice.ts'
import { rewritten, storeAgain } from '../../tokens/service/store-again.ts'
import { awsFunctions } from '../backend/aws-functions.ts'
import { type Composition, compose } from '../backend/composition.ts'
import type { GlobalOptions } from '../backend/setting.ts'
import { EXIT } from '../terminal/exit-codes.ts'
import { interrupted } from '../terminal/interrupted.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { UsageError } from '../terminal/usage-error.ts'
import { deployedFunctions } from './deployed.ts'
import { paced } from './paced.ts'
import { type Plan, planOf } from './plan.ts'
import { assertDeployed, type PresentKey, presentKey } from './present-key.ts'
import { type Moved, showMoved, showPlan } from './words.ts'

/** Accounts at a time; the pace of the writes holds for all of them together. */
const ACCOUNTS_AT_ONCE = 3

export interface ReEncryptOptions extends GlobalOptions {
  readonly dryRun?: boolean
  readonly writesPerSecond: number
}

/**
 * `tokenkeeper vault re-encrypt`: stores every secret again that lies under another key than the present one, so that it lies
 * under that. What is there already is left alone, so that it may be interrupted and called again. Throws UsageError,
 * ConfigurationError, StateStoreError.
 */
export async function reEncrypt(options: ReEncryptOptions, terminal: Terminal): Promise<number> {
  const composition = await compose(options, terminal)
  const functions = awsFunctions(composition.config.stackName)
  const client = ssmClient()
  try {
    const { config, ports } = composition
    assertAws(composition)
    const deployed = await deployedFunctions(composition.brokers, functions)
    if (deployed.length === 0) {
      throw new ConfigurationError(`the stack ${config.stackName} has no function here`, {
        fix: 'deploy it (npm run deploy), or set AWS_REGION to the region it is in',
      })
    }
    assertDeployed(config, deployed)
    const key = presentKey(config, deployed[0])
    const plan = planOf(await parametersBelow(client, config.prefix, ports.clock), config.prefix, key)
    if (options.dryRun || plan.moves.size === 0) {
      showPlan(plan, key, options, terminal)
      return EXIT.ok
    }
    await tryKey(client, config.prefix, key.keyId)
    const moved = await move(plan, key, options, composition, terminal)
    showMoved(moved, plan, key, terminal)
    if (moved.interrupted) return EXIT.interrupted
    return moved.failed.length > 0 ? EXIT.refreshFailed : EXIT.ok
  } finally {
    client.destroy()
    functions.close()
    await composition.close()
  }
}

function assertAws({ backend }: Composition): void {
  if (backend === 'aws') return
  throw new UsageError(
    'the local vault has one key file, which goes with its folder: there is no other key to move to',
    'for the secrets of a stack: tokenkeeper --backend aws vault re-encrypt',
  )
}

async function move(
  plan: Plan,
  key: PresentKey,
  { writesPerSecond }: ReEncryptOptions,
  { ports }: Composition,
  terminal: Terminal,
): Promise<Moved> {
  const turn = paced(writesPerSecond, ports.clock)
  const moved = { secrets: 0, accounts: 0, failed: [] as Moved['failed'][number][], interrupted: false }
  void interrupted().then(() => {
    moved.interrupted = true
    terminal.note('Stopping: what is being stored may finish, and nothing further is begun.')
  })
  const waiting = [...plan.moves]
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next && !moved.interrupted; next = waiting.shift()) {
      const [account, names] = next
      try {
        const done = await moveOne(account, names, { ports, turn })
        moved.secrets += done
        moved.accounts += 1
        terminal.print(`${account}: ${done} of ${names.length} under ${key.shown} now`)
      } catch (error) {
        if (!(error instanceof TokenkeeperError)) throw error
        moved.failed.push({ account, reason: error.message, fix: forAccount(error.fix, account) })
        terminal.print(`${account}: left as it was: ${error.message}`)
      }
    }
  }
  await Promise.all(Array.from({ length: ACCOUNTS_AT_ONCE }, work))
  return moved
}

interface Means {
  readonly ports: Composition['ports']
  readonly turn: () => Promise<void>
}

/** An account's secrets under its lease, registered or not: a run may find it. What is no broker's, as it is. Gives how many there were. */
async function moveOne(
  account: AccountId,
  names: readonly SecretName[],
  { ports, turn }: Means,
): Promise<number> {
  const broker = (BROKERS as Readonly<Record<string, Broker>>)[brokerOf(account)]
  if (broker) return (await storeAgain({ broker, account, names, turn }, ports)).length
  let done = 0
  for (const name of names) {
    await turn()
    if (await rewritten(ports.vault, account, name, (ms) => ports.clock.sleep(ms))) done += 1
  }
  return done
}
