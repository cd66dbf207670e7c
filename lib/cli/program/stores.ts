import type { KnownAccount } from '../../accounts/accounts.ts'
import { localSource } from '../../client/sources/local-source.ts'
import { ssmSource } from '../../client/sources/ssm-source.ts'
import type { ClientToken, TokenSource } from '../../client/sources/token-source.ts'
import { sessionOf } from '../../markets/session.ts'
import type { AccountId } from '../../model/account-id.ts'
import { isRefused } from '../../model/account-state.ts'
import { StateStoreError } from '../../model/errors.ts'
import type { Ports } from '../../ports/ports.ts'
import type { TokenService } from '../../ports/token-service.ts'
import { resourceNames } from '../../resource-names.ts'
import { unprovenSince } from '../../tokens/rules/token/doubt.ts'
import { isLive } from '../../tokens/rules/token/token-status.ts'
import { tokenService } from '../../tokens/service/token-service.ts'
import { type AccountsWish, brokerFor } from '../accounts/account-arguments.ts'
import { chosenAccounts } from '../accounts/chosen-accounts.ts'
import { type Composition, compose } from '../backend/composition.ts'
import type { Terminal } from '../terminal/terminal.ts'
import type { ProgramAccount, ProgramAccounts, ProgramOptions } from './accounts.ts'
import { tokenOfSource } from './known-token.ts'
import { tokenOfRecord } from './stored-token.ts'

/** Accounts from the stores of this machine, or of the deployed stack. Throws as `openAccounts` does. */
export async function storedAccounts(
  wish: AccountsWish,
  options: ProgramOptions,
  terminal: Terminal,
): Promise<ProgramAccounts> {
  const composition = await compose(options, terminal)
  try {
    return { ...(await programAccounts(wish.accounts, composition, wish)), close: () => composition.close() }
  } catch (error) {
    await composition.close()
    throw error
  }
}

/**
 * The same from a composition. A consumer's machine may hold the stack's consumer policy and no more (requirement
 * R2.8's readers): where AWS refuses the records, the named accounts are known by their parameters alone.
 */
export async function programAccounts(
  accounts: readonly AccountId[],
  composition: Composition,
  { all = false }: Partial<AccountsWish> = {},
): Promise<Omit<ProgramAccounts, 'close'>> {
  const { clock } = composition.ports
  const tokens = await tokenServiceOf(composition)
  let known: readonly KnownAccount[]
  try {
    known = await chosenAccounts({ accounts, all }, composition)
  } catch (error) {
    const isReader =
      composition.backend === 'aws' && error instanceof StateStoreError && !all && accounts.length > 0
    if (!isReader) throw error
    return {
      clock,
      accounts: accounts.map((account) => {
        const source = stackSource(account, composition)
        return {
          source,
          session: source.broker.tradingSession,
          flaw: async () => undefined,
          knownToken: () => tokenOfSource(source, clock),
          validate: () => tokens.validate({ account }),
        }
      }),
    }
  }
  return { clock, accounts: known.map((one) => recorded(one, composition, tokens)) }
}

function recorded(known: KnownAccount, composition: Composition, tokens: TokenService): ProgramAccount {
  const { ports, brokers, backend } = composition
  const { account, settings } = known.state
  const source =
    backend === 'aws'
      ? withRecord(stackSource(account, composition, settings.maxLifetimeHours), ports)
      : localSource({ account, ports, brokers: brokers.map(({ broker }) => broker) })
  const present = async () => (await ports.states.get(account)) ?? known.state
  return {
    source,
    session: sessionOf(known.broker, settings),
    async flaw() {
      const state = await present()
      if (state.paused) return 'paused'
      return isRefused(state) ? 'refused' : undefined
    },
    knownToken: async () => tokenOfRecord({ broker: known.broker, state: await present() }, ports),
    validate: () => tokens.validate({ account }),
  }
}

async function tokenServiceOf({ backend, brokers, ports, config }: Composition): Promise<TokenService> {
  const all = brokers.map(({ broker }) => broker)
  if (backend === 'local') return tokenService({ brokers: all, ports })
  const { lambdaTokenService } = await import('../../aws/lambda/lambda-token-service.ts')
  return lambdaTokenService({ ...ports, brokers: all, functionOf: resourceNames(config.stackName).function })
}

/** Straight from SSM, renewed by the broker's function, so that only one process writes. */
function stackSource(account: AccountId, composition: Composition, maxLifetimeHours?: number): TokenSource {
  const { config, ports } = composition
  const { broker } = brokerFor(account, composition)
  const ceiling = maxLifetimeHours ?? broker.session.maxLifetimeHours
  return ssmSource({
    account,
    prefix: config.prefix,
    functionName: resourceNames(config.stackName).function(broker.id),
    vault: ports.vault,
    clock: ports.clock,
    ...(ceiling !== undefined && { maxLifetimeHours: ceiling }),
  })
}

/** The record knows what the parameter does not: the generation, and the end where the broker told it in a reply. */
function withRecord(source: TokenSource, { states, clock }: Pick<Ports, 'states' | 'clock'>): TokenSource {
  const completed = async (token: ClientToken | undefined): Promise<ClientToken | undefined> => {
    const state = token && (await states.get(token.account))
    if (!state?.accessToken || state.accessToken.version !== token?.version) return token
    const since = unprovenSince(state, clock.now())
    const { expiresAt } = state.accessToken
    const live = isLive(state, clock.now())
    return { ...token, generation: state.generation, expiresAt, live, ...(since && { unprovenSince: since }) }
  }
  return {
    ...source,
    read: async () => {
      const token = await source.read()
      return (await completed(token)) ?? token
    },
    report: async (refused) => completed(await source.report(refused)),
    renew: async (options) => completed(await source.renew(options)),
  }
}
