import { createClient, restSource } from '../../lib/client/index.ts'
import { startLocalServer } from '../../lib/local/local-server.ts'
import { startApi } from '../client/support/api-server.ts'
import { RestWorld } from '../rest/support/rest-world.ts'

const PROGRAMS = 500

/** What it takes until 500 programs that were refused at the same moment go on. */
export interface ClientStorm {
  readonly stormPrograms: number
  /** Renewals at the broker. */
  readonly stormRenewals: number
  readonly stormSucceeded: number
  /** Milliseconds from a program's call to its reply, with the refusal, report, renewal and repeat in between. */
  readonly stormP50Ms: number
  readonly stormP99Ms: number
}

/**
 * 500 programs, each with a client and connections of its own, on a REST interface served for real: all meet a 401 at
 * the same moment. Everything runs in this one process, the broker and the server too.
 */
export async function clientStorm(count = PROGRAMS): Promise<ClientStorm> {
  const world = await RestWorld.open()
  const [account] = await world.upstoxAccounts()
  const server = await startLocalServer(world.app, 0)
  let dead: string | undefined
  const api = await startApi(({ headers }) => ({ status: headers.authorization === dead ? 401 : 200 }))
  const apiKey = await world.key(['token', 'refresh'])
  const programs = Array.from({ length: count }, () =>
    createClient({
      source: restSource({ url: server.url, apiKey, account }),
      hosts: { UPSTOX_API: api.origin },
      clock: world.clock,
    }),
  )
  try {
    const tokens = await Promise.all(programs.map((program) => program.getToken()))
    world.clock.advance({ minutes: 2 })
    world.upstox.killAccessToken('SIM001')
    dead = tokens[0]?.authorization?.reveal()
    const before = (await world.record(account)).generation
    const calls = await Promise.all(
      programs.map(async (program) => {
        const start = performance.now()
        const reply = await program.fetch('/v2/user/profile')
        await reply.text()
        return { ok: reply.ok, milliseconds: performance.now() - start }
      }),
    )
    const times = calls.map(({ milliseconds }) => milliseconds).sort((a, b) => a - b)
    const at = (share: number): number => Math.round((times[Math.floor(times.length * share)] ?? 0) * 10) / 10
    return {
      stormPrograms: count,
      stormRenewals: (await world.record(account)).generation - before,
      stormSucceeded: calls.filter(({ ok }) => ok).length,
      stormP50Ms: at(0.5),
      stormP99Ms: at(0.99),
    }
  } finally {
    await Promise.all(programs.map((program) => program.close()))
    await Promise.all([server.close(), api.close()])
    await world.close()
  }
}
