import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Temporal } from 'temporal-polyfill'
import { Agent, request } from 'undici'
import { brokerNamed } from '../../lib/brokers/index.ts'
import { createClient, Secret, type TokenSource } from '../../lib/client/index.ts'
import type { AccountId } from '../../lib/model/account-id.ts'
import { systemClock } from '../../lib/system-clock.ts'
import { paired } from './measure.ts'

const PAIRS = 101
/** Other work on a small machine only ever adds to a difference of a microsecond: the quietest series counts. */
const SERIES = 3
const CALLS_PER_ROUND = 300
const WARM_UP_CALLS = 30_000
const BODY = JSON.stringify({ status: 'success', data: { user_id: 'SIM001', exchanges: ['NSE', 'BSE'] } })

/** What a call through the client costs over a bare one. */
export interface ClientOverhead {
  readonly clientCallMicroseconds: number
  readonly bareCallMicroseconds: number
  /** How much longer a call through the client takes, in percent of the bare one. */
  readonly clientOverheadPercent: number
}

/**
 * Measures `client.fetch` against undici's bare `request` in one run, round by round in turn: the same server on
 * loopback, the same header, one call at a time, each reply read as JSON. The median of the quietest of three series.
 */
export async function clientOverhead(pairs = PAIRS): Promise<ClientOverhead> {
  const { origin, close } = await startServer()
  const url = `${origin}/v2/user/profile`
  const agent = new Agent()
  const client = createClient({ source: warmSource(origin), dispatcher: agent })
  const headers = {
    'user-agent': 'bench',
    accept: 'application/json',
    authorization: 'Bearer SIMULATED-token',
  }
  const init = { headers: { 'user-agent': 'bench', accept: 'application/json' } }

  const bare = async (): Promise<void> => {
    const { body } = await request(url, { dispatcher: agent, headers })
    await body.json()
  }
  const wrapped = async (): Promise<void> => {
    const reply = await client.fetch(url, init)
    await reply.json()
  }
  try {
    await round(bare, WARM_UP_CALLS)
    await round(wrapped, WARM_UP_CALLS)
    const series: Awaited<ReturnType<typeof paired>>[] = []
    for (let i = 0; i < SERIES; i++) {
      series.push(
        await paired(
          pairs,
          () => round(wrapped, CALLS_PER_ROUND),
          () => round(bare, CALLS_PER_ROUND),
        ),
      )
    }
    const { a, b, ratio } = series.reduce((best, one) => (one.ratio < best.ratio ? one : best))
    return {
      clientCallMicroseconds: rounded(a * 1_000),
      bareCallMicroseconds: rounded(b * 1_000),
      clientOverheadPercent: rounded((ratio - 1) * 100),
    }
  } finally {
    await client.close()
    await agent.close()
    close()
  }
}

/** A server in a process of its own, as a broker's is: its work is none of the caller's. */
async function startServer(): Promise<{ readonly origin: string; close(): void }> {
  const script = `
    const body = ${JSON.stringify(BODY)}
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const server = require('node:http').createServer((request, response) => {
      request.resume()
      response.writeHead(200, headers).end(body)
    })
    server.listen(0, '127.0.0.1', () => process.send(server.address().port))`
  const child = spawn(process.execPath, ['--eval', script], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const [port] = (await once(child, 'message')) as [number]
  return { origin: `http://127.0.0.1:${port}`, close: () => void child.kill() }
}

/** Milliseconds of one call, on average over a round. */
async function round(call: () => Promise<void>, calls: number): Promise<number> {
  const start = performance.now()
  for (let count = 0; count < calls; count++) await call()
  return (performance.now() - start) / calls
}

/** A token that is warm throughout, as it is nearly always. */
function warmSource(origin: string): TokenSource {
  const token = {
    account: 'upstox' as AccountId,
    broker: 'upstox',
    accessToken: new Secret('SIMULATED-token'),
    authorization: new Secret('Bearer SIMULATED-token'),
    generation: 1,
    expiresAt: systemClock.now().add(Temporal.Duration.from({ hours: 8 })),
  }
  return {
    account: token.account,
    broker: brokerNamed('upstox'),
    hosts: { UPSTOX_API: origin },
    read: async () => token,
    report: async () => token,
    renew: async () => token,
  }
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100
}
