import { Hono } from 'hono'
import { z } from 'zod'
import { badField, callBroker, errorByStatus } from '../../lib/brokers/shared/call.ts'
import { GrantRejectedError } from '../../lib/model/errors.ts'
import { Secret } from '../../lib/model/secrets/secret.ts'
import type { Broker } from '../../lib/ports/broker/broker.ts'
import type { BrokerContext, Proof, Renewal } from '../../lib/ports/broker/broker-context.ts'
import type { Clock } from '../../lib/ports/clock.ts'
import { simulatedJwt } from '../../lib/simulators/kit/simulated-token.ts'
import type { Simulator, SimulatorEnv } from '../../lib/simulators/kit/simulator.ts'

const NAME = 'Rotabroker'
const ACCESS_TOKEN_LIFE_S = 1800

const TokenReply = z.object({
  access_token: z.string(),
  refresh_token: z.string().optional(),
  expires_in: z.number(),
  companion: z.string().optional(),
})

/**
 * None of the brokers so far rotates refresh tokens, but the invariants must hold for those that do: a broker
 * like Questrade, with single-use refresh tokens and a family that is revoked at the first reuse.
 */
export const rotabroker: Broker = {
  id: 'rotabroker',
  displayName: NAME,
  hosts: { ROTABROKER_API: 'https://rotabroker.invalid' },
  credentials: [{ name: 'client_id', label: 'client id', hidden: false, required: true }],
  sessions: 'one',
  session: {
    timeZone: 'America/New_York',
    accessToken: { earliestOf: [{ kind: 'reply' }], otherwise: { kind: 'hours', hours: 0.5 } },
  },
  grants: [
    {
      kind: 'refresh_token',
      needs: ['client_id', 'refresh_token'],
      budget: { minimumGapSeconds: 1 },
      repeatsAfterAmbiguity: 0,
      renew,
    },
  ],
  login: { how: 'log in: tokenkeeper login rotabroker' },
  prove,
  pacingSeconds: 0,
  concurrency: 4,
  schedule: { expressions: ['rate(15 minutes)'], timeZone: 'America/New_York' },
}

async function renew(context: BrokerContext): Promise<Renewal> {
  const reply = await callBroker(context, NAME, {
    method: 'POST',
    url: `${context.host('ROTABROKER_API')}/token`,
    form: { grant_type: 'refresh_token', refresh_token: context.secret('refresh_token').reveal() },
    spends: 'credential',
  })
  if (reply.status === 400) throw new GrantRejectedError(`${NAME} refused the refresh token`)
  if (reply.status !== 200 || reply.bodyKind !== 'json') throw errorByStatus(NAME, reply, 'credential')
  const { data } = TokenReply.safeParse(reply.json)
  if (!data) throw badField(NAME, reply, 'access_token')
  return {
    accessToken: new Secret(data.access_token),
    ...(data.refresh_token && { refreshToken: new Secret(data.refresh_token) }),
    ...(data.companion && { session: new Secret(JSON.stringify({ ...data, refresh_token: undefined })) }),
    expiresIn: data.expires_in,
    sentAt: reply.sentAt,
  }
}

async function prove(context: BrokerContext, accessToken: Secret): Promise<Proof> {
  const reply = await callBroker(context, NAME, {
    method: 'GET',
    url: `${context.host('ROTABROKER_API')}/me`,
    headers: { authorization: `Bearer ${accessToken.reveal()}` },
    spends: 'nothing',
  })
  if (reply.status === 401) throw new GrantRejectedError(`${NAME} says the token is dead`)
  if (reply.status !== 200) throw errorByStatus(NAME, reply, 'nothing')
  return { userId: (reply.json as { user: string }).user }
}

interface Family {
  readonly user: string
  current: string
  revoked: boolean
  live: string | undefined
}

export class RotabrokerSimulator implements Simulator {
  readonly id = 'rotabroker'
  readonly hosts = ['ROTABROKER_API']
  readonly app = new Hono<SimulatorEnv>()
  /** Exchanges that consumed a refresh token. */
  exchanges = 0
  /** Calls that asked whose token it is. */
  proofs = 0
  /** Refresh grants that arrived, good or bad. */
  grantsSeen = 0
  /** Reuses of a spent refresh token, each of which revoked a family. */
  reuses = 0
  companion: string | undefined
  answersAs: string | undefined
  /** Answered in place of the access token that was minted; nobody accepts it. */
  accessTokenOverride: string | undefined
  /** Minted next in place of an access token of the usual size; it is as live as one. */
  nextAccessToken: string | undefined
  readonly #families: Family[] = []
  readonly #spent = new Map<string, Family>()
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
    this.app.post('/token', async (context) => {
      this.grantsSeen += 1
      const presented = new URLSearchParams(await context.req.text()).get('refresh_token') ?? ''
      const reused = this.#spent.get(presented)
      if (reused) {
        this.reuses += 1
        reused.revoked = true
      }
      const family = this.#families.find(({ current, revoked }) => current === presented && !revoked)
      if (!family) return context.json({ error: 'invalid_grant' }, 400)
      this.exchanges += 1
      this.#spent.set(presented, family)
      family.current = this.#mint('refresh', family.user)
      family.live = this.nextAccessToken ?? this.#mint('access', family.user)
      return context.json({
        access_token: this.accessTokenOverride ?? family.live,
        refresh_token: family.current,
        expires_in: ACCESS_TOKEN_LIFE_S,
        ...(this.companion && { companion: this.companion }),
      })
    })
    this.app.get('/me', (context) => {
      this.proofs += 1
      const token = context.req.header('authorization')?.slice('Bearer '.length)
      const family = this.#families.find(({ live }) => live !== undefined && live === token)
      if (!family) return context.json({ error: 'invalid_token' }, 401)
      return context.json({ user: this.answersAs ?? family.user })
    })
  }

  /** A login of `user`: the refresh token that begins a family. */
  login(user: string): string {
    const family: Family = { user, current: this.#mint('refresh', user), revoked: false, live: undefined }
    this.#families.push(family)
    return family.current
  }

  /** Every access token dies, as at a logout of all sessions. */
  killAccessTokens(): void {
    for (const family of this.#families) family.live = undefined
  }

  /** No refresh token is accepted any more. */
  revokeAll(): void {
    for (const family of this.#families) family.revoked = true
  }

  /** A login of `user` whose first access token is live already. */
  openFamily(user: string): { readonly access: string; readonly refresh: string } {
    const refresh = this.login(user)
    const family = this.#families.at(-1) as Family
    family.live = this.#mint('access', user)
    return { access: family.live, refresh }
  }

  /** The refresh token that would be accepted now. */
  currentOf(user: string): string | undefined {
    return this.#families.find((family) => family.user === user && !family.revoked)?.current
  }

  #mint(kind: string, user: string): string {
    return simulatedJwt({ kind, user }, { issuedAt: this.#clock.now() })
  }
}
