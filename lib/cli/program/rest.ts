import { Temporal } from 'temporal-polyfill'
import * as z from 'zod'
import { TokenUnavailableError } from '../../client/errors.ts'
import { problemIn, whereKept } from '../../client/sources/rest-problem.ts'
import { restSource } from '../../client/sources/rest-source.ts'
import { unavailable } from '../../client/unavailable.ts'
import { assertAllowedOrigin } from '../../http/allowed-origin.ts'
import { undiciHttp } from '../../http/undici-http.ts'
import { type AccountId, brokerOf, parseAccountId } from '../../model/account-id.ts'
import { ConfigurationError } from '../../model/errors.ts'
import { Secret } from '../../model/secrets/secret.ts'
import { USER_AGENT } from '../../model/version.ts'
import type { Clock } from '../../ports/clock.ts'
import { type Http, HttpError } from '../../ports/http.ts'
import type { ServiceRefusal, Validation } from '../../ports/token-service.ts'
import { DEAD_EARLY_SECONDS } from '../../tokens/rules/token/due.ts'
import type { AccountsWish } from '../accounts/account-arguments.ts'
import { readSetting } from '../backend/composition.ts'
import type { ProgramAccount, ProgramAccounts, ProgramOptions } from './accounts.ts'
import { type KnownToken, NO_TOKEN, REFUSED, type Remedy, tokenOfSource, unproven } from './known-token.ts'

const KEY = 'TOKENKEEPER_API_KEY'
/** On AWS a proof may take as long as API Gateway waits. */
const TIMEOUT_MS = 35_000

/** As much of lib/rest/routes/schemas.ts as matters here. */
const Status = z.object({
  account: z.string(),
  state: z.string(),
  expires_at: z.string().nullable(),
  // Keepers of 0.1 do not say these.
  live: z.optional(z.boolean()),
  expires_in: z.nullish(z.number()),
  unproven_since: z.nullish(z.string()),
  next_action: z.string(),
  login_helps_from: z.nullish(z.string()),
  last_error: z.object({ code: z.string(), fix: z.string().nullable() }).nullable(),
})
const AllStatuses = Status.extend({ accounts: z.array(Status).optional() })
const Verdict = z.object({
  valid: z.boolean(),
  checked_at: z.string(),
  user_id: z.string().nullable(),
  error: z.object({ code: z.string(), reason: z.string(), fix: z.string() }).nullable(),
})

/** Accounts over the REST interface, for a machine that has nothing but a key. Throws as `openAccounts` does. */
export async function restAccounts(
  { accounts, all }: AccountsWish,
  url: string,
  options: ProgramOptions,
): Promise<ProgramAccounts> {
  const { config, env, clock, proxy } = await readSetting({ ...options, backend: 'local' })
  const { allowHttpHosts } = config
  assertAllowedOrigin(url, allowHttpHosts, 'the address of the REST interface')
  const text = env[KEY]
  if (!text) {
    throw new ConfigurationError(`${KEY} is not set`, {
      fix: 'set it in the environment to a key that is made where the accounts are kept: tokenkeeper keys create --name my-program --scope token --all-accounts',
    })
  }
  const http = undiciHttp(proxy)
  const apiKey = new Secret(text)
  const rest: Rest = { http, apiKey, base: url.replace(/\/+$/, '') }
  try {
    const named =
      accounts.length > 0 && !all
        ? accounts
        : (await allOf(rest)).filter(
            (one) => accounts.length === 0 || accounts.some((id) => id === brokerOf(one)),
          )
    const opened = named.map((account): ProgramAccount => {
      const source = restSource({ url, apiKey, account, allowHttpHosts, http })
      return {
        source,
        session: source.broker.tradingSession,
        // The keeper behind it sees to that.
        flaw: async () => undefined,
        knownToken: () => knownTokenOf(source, rest, clock),
        validate: () => validation(account, rest),
      }
    })
    return { clock, accounts: opened, close: () => http.close() }
  } catch (error) {
    await http.close()
    throw error
  }
}

interface Rest {
  readonly http: Http
  readonly apiKey: Secret
  readonly base: string
}

/** All this key may know of. */
async function allOf(rest: Rest): Promise<readonly AccountId[]> {
  const all = await get('/token/status', AllStatuses, 'all' as AccountId, rest)
  return (all.accounts ?? [all]).map(({ account }) => parseAccountId(account))
}

/** By the record; by the token itself where the key may not see the record. */
async function knownTokenOf(source: ProgramAccount['source'], rest: Rest, clock: Clock): Promise<KnownToken> {
  const { account, broker } = source
  try {
    const status = await get(`/accounts/${account}/token/status`, Status, account, rest)
    const expiresAt = status.expires_at === null ? undefined : Temporal.Instant.from(status.expires_at)
    const objection = objectionIn(status, expiresAt, broker.session.timeZone)
    return {
      account,
      broker,
      ...(expiresAt && { expiresAt }),
      ...(objection && { objection }),
      remedy: async () => remedyIn(status),
    }
  } catch (error) {
    if (!(error instanceof TokenUnavailableError && error.code === 'insufficient_scope')) throw error
    return tokenOfSource(source, clock)
  }
}

/** What the keeper's record says against a token that has not expired. */
function objectionIn(
  { state, live, unproven_since: since, expires_in: leftSeconds }: z.infer<typeof Status>,
  expiresAt: Temporal.Instant | undefined,
  timeZone: string,
): KnownToken['objection'] {
  if (state === 'paused') return { code: 'paused', reason: 'paused' }
  if (!expiresAt) return NO_TOKEN
  if (since) return unproven(Temporal.Instant.from(since), timeZone)
  return live === false && (leftSeconds ?? 0) > DEAD_EARLY_SECONDS ? REFUSED : undefined
}

function remedyIn(status: z.infer<typeof Status>): Remedy {
  const { account, state, last_error, next_action } = status
  if (status.login_helps_from) return { code: 'awaiting_login', fix: next_action }
  const refresh = `have it renewed where the account is kept: tokenkeeper refresh ${account}`
  switch (state) {
    case 'paused':
      return {
        code: 'paused',
        fix: `have it resumed where the account is kept: tokenkeeper resume ${account}`,
      }
    case 'skipped':
      return { code: 'managed_elsewhere', fix: 'ask whoever manages the account for a new token' }
    case 'awaiting_login':
      return { code: 'awaiting_login', fix: whereKept(last_error?.fix || next_action) }
    case 'failed':
      return last_error
        ? { code: last_error.code, fix: last_error.fix ? whereKept(last_error.fix) : refresh }
        : { fix: refresh }
    default:
      return { fix: refresh }
  }
}

async function validation(account: AccountId, rest: Rest): Promise<Validation | ServiceRefusal> {
  try {
    const said = await get(`/accounts/${account}/token/validate`, Verdict, account, rest)
    const problem = said.error as Validation['problem'] | null
    return {
      account,
      valid: said.valid,
      checkedAt: said.checked_at,
      userID: said.user_id,
      ...(problem && { problem: { ...problem, fix: whereKept(problem.fix) } }),
    }
  } catch (error) {
    if (!(error instanceof TokenUnavailableError)) throw error
    const { message: reason, fix } = error
    return { refused: true, code: error.code as ServiceRefusal['code'], reason, fix }
  }
}

async function get<T>(path: string, shape: z.ZodType<T>, account: AccountId, rest: Rest): Promise<T> {
  const { http, apiKey, base } = rest
  const headers = {
    authorization: `Bearer ${apiKey.reveal()}`,
    accept: 'application/json',
    'user-agent': USER_AGENT,
  }
  const { origin } = new URL(base)
  const reply = await http
    .send({ method: 'GET', url: base + path, headers, timeoutMs: TIMEOUT_MS })
    .catch((error: unknown) => {
      if (!(error instanceof HttpError)) throw error
      throw unavailable(account, {
        code: 'unreachable',
        reason: `the REST interface at ${origin} did not answer (${error.reason})`,
        fix: error.fix ?? 'check its address and that it runs; else try again in a moment',
        cause: error,
      })
    })
  if (reply.status !== 200) throw problemIn(reply, account)
  const { data } = shape.safeParse(parsed(reply.body))
  if (data !== undefined) return data
  throw unavailable(account, {
    code: 'response_unexpected',
    reason: `the reply of ${origin} is not what was expected`,
    fix: 'check that the address is that of a tokenkeeper of this version',
  })
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}
