import type { Temporal } from 'temporal-polyfill'
import * as z from 'zod/mini'
import type { FunctionCaller } from '../../aws/lambda/function-caller.ts'
import { brokerNamed } from '../../brokers/index.ts'
import { brokerOf, parseAccountId } from '../../model/account-id.ts'
import { jwtExpiry } from '../../model/expiry/jwt.ts'
import { expiryOf } from '../../model/expiry/session-model.ts'
import type { AccountResult } from '../../model/outcome.ts'
import { Secret } from '../../model/secrets/secret.ts'
import type { SecretName } from '../../model/secrets/secret-name.ts'
import { settledRead } from '../../model/settled-read.ts'
import type { Broker } from '../../ports/broker/broker.ts'
import type { Clock } from '../../ports/clock.ts'
import type { StoredSecret, StoredSecrets, TokenVault } from '../../ports/token-vault.ts'
import { systemClock } from '../../system-clock.ts'
import { isOlder } from '../../tokens/rules/token/older-read.ts'
import { authorizationOf } from '../../tokens/service/read-published.ts'
import { objectionIn, unavailable } from '../unavailable.ts'
import type { ClientToken, TokenSource } from './token-source.ts'

/** The secrets that consumers may have. */
const PUBLISHED: readonly SecretName[] = ['access_token', 'session']

/** The event that is sent to the broker's function. */
export interface RefreshEvent {
  readonly accounts: readonly string[]
  readonly refused?: { readonly version: number }
  readonly force?: true
  readonly reason: string
}

const Report = z.object({
  results: z.array(
    z.object({
      account: z.string(),
      success: z.boolean(),
      outcome: z.enum(['fresh', 'refreshed', 'awaiting_login', 'ambiguous', 'paused', 'skipped', 'failed']),
      code: z.optional(z.string()),
      reason: z.string(),
      nextAction: z.string(),
      loginHelpsFrom: z.optional(z.string()),
    }),
  ),
})
const Refusal = z.object({
  refused: z.literal(true),
  code: z.string(),
  reason: z.string(),
  fix: z.string(),
})

export interface SsmSourceOptions {
  /** The first part of every parameter's name, such as /stock-pipeline. */
  readonly prefix: string
  /** `fyers`, or `iifl/28748327`. */
  readonly account: string
  /**
   * The app's id, where the broker's Authorization header needs it. @default - its parameter, where this
   * program may read that
   */
  readonly clientId?: string
  /**
   * The name of the broker's function, such as Tokenkeeper-fyers; without it this program cannot have a token
   * renewed.
   */
  readonly functionName?: string
  /** The owner's limit on a token's age, in hours. @default - the broker's */
  readonly maxLifetimeHours?: number
  /** @default - SSM with the SDK's own credentials and region, loaded at the first read */
  readonly vault?: Pick<TokenVault, 'read'>
  /** Invokes the function and returns its report. @default - the AWS SDK, loaded at the first report */
  readonly invoke?: (event: RefreshEvent) => Promise<unknown>
  /** @default - the host's */
  readonly clock?: Clock
}

/**
 * A source of tokens from SSM, by one batched read; AWS' code is loaded only then. The broker's function
 * renews a token. Throws ConfigurationError for an unknown account id or broker.
 */
export function ssmSource(options: SsmSourceOptions): TokenSource {
  const { prefix, functionName, clock = systemClock } = options
  const account = parseAccountId(options.account)
  const broker = brokerNamed(brokerOf(account))
  const given = options.clientId === undefined ? undefined : new Secret(options.clientId, { masked: false })
  let names = namesFor(broker, given)
  let vault: Promise<Pick<TokenVault, 'read'>> | undefined
  let newest: StoredSecret | undefined

  const opened = async (): Promise<Pick<TokenVault, 'read'>> => {
    const [{ ssmTokenVault }, { ssmClient }] = await Promise.all([
      import('../../aws/ssm-token-vault.ts'),
      import('../../aws/clients.ts'),
    ])
    return ssmTokenVault({ client: ssmClient(), prefix, clock })
  }

  const invoke = options.invoke ?? (functionName === undefined ? undefined : invoker(functionName))

  /**
   * One batched read, without the app's id where it fails: SSM refuses the whole read where one name is not
   * allowed, and that one often is not.
   */
  const readOnce = async (): Promise<StoredSecrets> => {
    vault ??= options.vault ? Promise.resolve(options.vault) : opened()
    try {
      return await (await vault).read(account, names)
    } catch (error) {
      if (!names.includes('client_id')) throw error
      const stored = await (await vault).read(account, PUBLISHED)
      names = PUBLISHED
      return stored
    }
  }

  /**
   * Reads until the token is no older than the one seen before, and `wanted`; the last read is returned in
   * any case.
   */
  const readUntil = async (wanted: (token: StoredSecret) => boolean): Promise<StoredSecrets> => {
    const isStale = (stored: StoredSecrets): boolean => {
      const token = stored.get('access_token')
      if (token === undefined) return false
      return (newest && isOlder(token, newest.version, newest.modifiedAt)) || !wanted(token)
    }
    return settledRead(readOnce, isStale, clock)
  }

  const read = async (wanted: (token: StoredSecret) => boolean = () => true): Promise<ClientToken> => {
    const stored = await readUntil(wanted)
    const token = stored.get('access_token')
    if (!token) {
      throw unavailable(account, {
        code: 'no_token',
        reason: `there is no access token under ${prefix}/${account}`,
        fix: `check prefix and account, or run tokenkeeper refresh ${account}`,
      })
    }
    newest = token
    return tokenOf(token, stored)
  }

  const tokenOf = (token: StoredSecret, stored: StoredSecrets): ClientToken => {
    const session = stored.get('session')?.value
    const clientId = given ?? stored.get('client_id')?.value
    const { value: accessToken, version } = token
    const header = authorizationOf(broker, { accessToken, version, ...(clientId && { clientId }) })
    const expiresAt = knownExpiry(broker, token, options.maxLifetimeHours)
    return {
      account,
      broker: broker.id,
      accessToken,
      version,
      ...(header !== undefined && { authorization: new Secret(header) }),
      ...(expiresAt && { expiresAt }),
      ...(session && { session }),
    }
  }

  const ask = async (event: Omit<RefreshEvent, 'accounts'>): Promise<AccountResult> => {
    if (!invoke) {
      throw unavailable(account, {
        code: 'cannot_renew',
        reason: 'this program reads tokens from SSM and was not told which function renews them',
        fix: `invoke the function of ${broker.id}, or give its name to ssmSource as functionName`,
      })
    }
    const reply = await invoke({ accounts: [account], ...event })
    const refusal = Refusal.safeParse(reply).data
    if (refusal) throw unavailable(account, refusal)
    const result = Report.safeParse(reply).data?.results.find((one) => one.account === account)
    if (!result) {
      throw unavailable(account, {
        code: 'response_unexpected',
        reason: `the function of ${broker.id} answered with something that is no report`,
        fix: 'deploy this version of the stack: npm run deploy in its clone, npx cdk deploy in an app of your own',
      })
    }
    const objection = objectionIn(result as AccountResult)
    if (objection) throw objection
    return result as AccountResult
  }

  return {
    account,
    broker,
    read,
    async report({ version, accessToken }) {
      // Another program may have reported it first.
      const present = await read()
      if (!present.accessToken.equals(accessToken) || version === undefined) return present
      const { outcome } = await ask({ refused: { version }, reason: 'a consumer was refused' })
      return read((token) => outcome !== 'refreshed' || token.version !== version)
    },
    async renew({ force }) {
      const before = newest?.version
      const { outcome } = await ask({ ...(force && { force }), reason: 'a consumer asks' })
      return read((token) => outcome !== 'refreshed' || token.version !== before)
    },
  }
}

function namesFor({ authorization }: Broker, clientId: Secret | undefined): readonly SecretName[] {
  const namesApp = authorization?.includes('{client_id}') ?? false
  return namesApp && !clientId ? [...PUBLISHED, 'client_id'] : PUBLISHED
}

/**
 * Invokes the broker's function with an event for functions/runtime/refresh/event.ts, and waits for its
 * report.
 */
function invoker(functionName: string): (event: RefreshEvent) => Promise<unknown> {
  let caller: Promise<FunctionCaller> | undefined
  return async (event) => {
    caller ??= import('../../aws/lambda/function-caller.ts').then(({ functionCaller }) =>
      functionCaller({ whenUnknown: 'try again in a moment: it may be at work still' }),
    )
    return (await caller)(functionName, event, [Report, Refusal])
  }
}

/**
 * When the token dies by the broker's session model, counted from when it was stored. `undefined` where only
 * the reply tells that, which the keeper alone has seen: a guess would be no proof.
 */
function knownExpiry(
  { session }: Broker,
  { value, modifiedAt }: StoredSecret,
  maxLifetimeHours = session.maxLifetimeHours,
): Temporal.Instant | undefined {
  const kinds = new Set<string>(session.accessToken.earliestOf.map(({ kind }) => kind))
  const isSure =
    kinds.has('clock') || kinds.has('hours') || (kinds.has('jwt') && jwtExpiry(value) !== undefined)
  if (kinds.has('reply') && !isSure) return undefined
  return expiryOf(session.accessToken, { token: value, at: modifiedAt }, maxLifetimeHours).expiresAt
}
