import { ALL_BROKERS } from '../../brokers/index.ts'
import { brokerOf, parseAccountId } from '../../model/account-id.ts'
import type { AccountState } from '../../model/account-state.ts'
import { ConfigurationError } from '../../model/errors.ts'
import { Secret } from '../../model/secrets/secret.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { Ports } from '../../ports/ports.ts'
import type { PublishedToken, RefreshOrder } from '../../ports/token-service.ts'
import { isHeld } from '../../tokens/rules/decide/held.ts'
import { unprovenSince } from '../../tokens/rules/token/doubt.ts'
import { isLive } from '../../tokens/rules/token/token-status.ts'
import { authorizationOf } from '../../tokens/service/read-published.ts'
import { tokenService } from '../../tokens/service/token-service.ts'
import { managedElsewhere, objectionIn, unavailable, unavailableOfRefusal } from '../unavailable.ts'
import type { ClientToken, TokenSource } from './token-source.ts'

/** Seconds to wait for another process; a renewal takes a few, and then gives the lease back. */
const PATIENCE_SECONDS = 30
const LOOK_AGAIN_MS = 250
const MOST_ROUNDS = 3

export interface LocalSourceOptions {
  /** `fyers`, or `iifl/28748327`. */
  readonly account: string
  /** The stores of this machine, and what else a run needs; they stay open. */
  readonly ports: Ports
  /** The brokers, with the owner's settings. @default - every broker, with its own */
  readonly brokers?: readonly Broker[]
}

/**
 * A source of tokens from the stores of this machine. Renewals are done in this process, by the same rules
 * and leases as elsewhere. Throws ConfigurationError for an unknown account id or broker.
 */
export function localSource(options: LocalSourceOptions): TokenSource {
  const { ports, brokers = ALL_BROKERS } = options
  const account = parseAccountId(options.account)
  const broker = brokers.find(({ id }) => id === brokerOf(account))
  if (!broker) {
    throw new ConfigurationError(`the broker of ${account} is not switched on`, { fix: 'add it to cdk.json' })
  }
  const { clock, states } = ports
  const tokens = tokenService({ brokers, ports })

  /** Another process writes the token first and then its record: waits until both agree. */
  const read = async (): Promise<ClientToken> => {
    const until = clock.now().add({ seconds: PATIENCE_SECONDS }).epochMilliseconds
    for (;;) {
      const published = await tokens.readToken(account)
      const state = await states.get(account)
      const isRecorded = published?.version === state?.accessToken?.version
      if (isRecorded || !isBusy(state) || clock.now().epochMilliseconds >= until) {
        return tokenOf(published, state)
      }
      await clock.sleep(LOOK_AGAIN_MS)
    }
  }

  const isBusy = (state: AccountState | undefined): boolean =>
    state?.lease !== undefined && isHeld(state.lease, clock.now())

  const tokenOf = (published: PublishedToken | undefined, state: AccountState | undefined): ClientToken => {
    if (!published) throw missing(state)
    const { accessToken, version, session } = published
    const authorization = authorizationOf(broker, published)
    // The record says nothing of a token that somebody else has stored since.
    const record = state?.accessToken?.version === version ? state : undefined
    const expiresAt = record?.accessToken?.expiresAt
    const since = record && unprovenSince(record, clock.now())
    return {
      account,
      broker: broker.id,
      accessToken,
      version,
      generation: state?.generation ?? 0,
      ...(authorization !== undefined && { authorization: new Secret(authorization) }),
      ...(expiresAt && { expiresAt }),
      ...(record && { live: isLive(record, clock.now()) }),
      ...(since && { unprovenSince: since }),
      ...(session && { session }),
      ...(state?.userId !== undefined && { userId: state.userId }),
    }
  }

  const missing = (state: AccountState | undefined) =>
    unavailable(account, {
      code: 'no_token',
      reason: state ? 'none was published so far' : 'the account is not set up',
      fix: state ? `run tokenkeeper refresh ${account}` : `run tokenkeeper setup ${account}`,
    })

  const run = async (order: Pick<RefreshOrder, 'reported' | 'forcedAt'>): Promise<ClientToken> => {
    for (let round = 1; ; round++) {
      const report = await tokens.refresh({
        broker: broker.id,
        accounts: [account],
        ...order,
      })
      if ('refused' in report) throw unavailableOfRefusal(report, account)
      const [result] = report.results
      if (!result) throw missing(undefined)
      const objection = objectionIn(result)
      if (!objection) return read()
      if (objection.code !== 'busy') throw objection
      if ((await states.get(account))?.settings.managedBy === 'external') throw managedElsewhere(account)
      if (round === MOST_ROUNDS) throw objection
      await untilFree()
    }
  }

  const untilFree = async (): Promise<void> => {
    const until = clock.now().add({ seconds: PATIENCE_SECONDS }).epochMilliseconds
    while (isBusy(await states.get(account)) && clock.now().epochMilliseconds < until) {
      await clock.sleep(LOOK_AGAIN_MS)
    }
  }

  return {
    account,
    broker,
    hosts: ports.hosts,
    read,
    report: ({ generation, version }) =>
      run({ reported: version === undefined ? { generation: generation ?? 0 } : { version } }),
    // A token that another process renews from now on satisfies this too.
    renew: ({ force }) => run(force ? { forcedAt: clock.now() } : {}),
  }
}
