import { type AddressInfo, Server } from 'node:net'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import type { Clock } from '../../ports/clock.ts'
import type { SimulatedFault, Simulator, SimulatorEnv } from './simulator.ts'

/** One request the simulated broker saw, without its body or query: simulators mask secrets like everything else. */
interface SeenRequest {
  readonly method: string
  readonly path: string
  readonly userAgent: string | undefined
}

export interface SimulatorServer {
  readonly origin: string
  /** Every request in order of arrival. */
  readonly seen: readonly SeenRequest[]
  /** How many requests had this path (a prefix). */
  count(path: string): number
  /** Queues a fault for the next request whose path starts so. */
  failNext(path: string, fault: SimulatedFault): void
  /** Host overrides for {@link Ports.hosts}. */
  readonly hosts: Readonly<Record<string, string>>
  close(): Promise<void>
}

export interface SimulatorServerOptions {
  readonly clock: Clock
  /** @default - a free port */
  readonly port?: number
  /** Milliseconds every reply takes, as a real broker's network would. @default 0 */
  readonly latencyMs?: number | ((path: string) => number)
}

/** Serves a simulated broker on 127.0.0.1. Its Date header follows the virtual clock. */
export async function startSimulator(
  simulator: Simulator,
  options: SimulatorServerOptions,
): Promise<SimulatorServer> {
  const seen: SeenRequest[] = []
  const faults: { readonly path: string; readonly fault: SimulatedFault }[] = []
  const app = new Hono<SimulatorEnv>()
  const dateNow = (): string => new Date(options.clock.now().epochMilliseconds).toUTCString()

  app.use(async (context, next) => {
    const { path, method } = context.req
    seen.push({ method, path, userAgent: context.req.header('user-agent') })
    const latency =
      typeof options.latencyMs === 'function' ? options.latencyMs(path) : (options.latencyMs ?? 0)
    if (latency > 0) await realPause(latency)
    const index = faults.findIndex((queued) => path.startsWith(queued.path))
    const fault = index < 0 ? undefined : faults.splice(index, 1)[0]?.fault
    const cut = (): Response => {
      context.env.incoming.socket?.destroy()
      return new Response(null, { headers: { 'x-hono-already-sent': 'true' } })
    }
    switch (fault?.kind) {
      case 'reset':
        return cut()
      case 'hang':
        await new Promise((resolve) => context.env.incoming.once('close', resolve))
        return cut()
      case 'reply':
        return new Response(fault.body, {
          status: fault.status,
          headers: { date: dateNow(), ...fault.headers },
        })
      case 'lost_reply':
        await next()
        return cut()
      case 'held':
        await fault.until()
        await next()
        break
      case 'truncated': {
        await next()
        const body = await context.res.text()
        context.res = new Response(body.slice(0, Math.floor(body.length / 2)), { status: context.res.status })
        break
      }
      default:
        await next()
    }
    context.res.headers.set('date', dateNow())
    return undefined
  })
  app.route('/', simulator.app)

  const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: options.port ?? 0 })
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve)
    server.once('error', reject)
  })
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    origin,
    seen,
    count: (path) => seen.filter((request) => request.path.startsWith(path)).length,
    failNext: (path, fault) => void faults.push({ path, fault }),
    hosts: Object.fromEntries(simulator.hosts.map((host) => [host, origin])),
    close: () =>
      new Promise((resolve) => {
        if ('closeAllConnections' in server) server.closeAllConnections()
        if (server instanceof Server) server.close(() => resolve())
      }),
  }
}

function realPause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
