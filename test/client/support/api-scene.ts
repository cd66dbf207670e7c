import { createClient, type TokenkeeperClient } from '../../../lib/client/index.ts'
import { VirtualClock } from '../../../lib/simulators/kit/virtual-clock.ts'
import { type ApiServer, type Received, type Scripted, startApi } from './api-server.ts'
import { KeptSource } from './kept-source.ts'

export const OK: Scripted = {
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: '{"ok":true}',
}
export const DEAD: Scripted = { status: 401, body: '{"errors":[{"errorCode":"UDAPI100050"}]}' }

/** A client, its keeper in memory, and the broker it calls, which answers as the test says: OK at first. */
export class ApiWorld {
  readonly clock = new VirtualClock('2026-11-23T08:00:00+05:30')
  readonly source = new KeptSource('upstox/ACC1')
  readonly server: ApiServer
  readonly client: TokenkeeperClient
  answer: (call: Received, index: number) => Scripted = () => OK

  static async open(): Promise<ApiWorld> {
    const server = await startApi((call, index) => api.answer(call, index))
    const api = new ApiWorld(server)
    return api
  }

  private constructor(server: ApiServer) {
    const { clock, source } = this
    this.server = server
    source.hosts = { UPSTOX_API: server.origin }
    source.publish('2026-11-24T03:30:00+05:30')
    source.next = () => source.token('2026-11-24T03:30:00+05:30')
    this.client = createClient({ source, clock, random: () => 0.5 })
  }

  async close(): Promise<void> {
    await this.client.close()
    await this.server.close()
  }
}
