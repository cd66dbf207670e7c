import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Received {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** What the server does with one call: a reply, or a cut connection. */
export type Scripted =
  | {
      readonly status: number
      readonly headers?: Record<string, string>
      readonly body?: string | Buffer
      /** The reply never ends; what there is of its body is sent. */
      readonly endless?: boolean
    }
  | 'reset'
  /** No answer at all. */
  | 'hang'

export interface ApiServer {
  readonly origin: string
  readonly received: readonly Received[]
  /** How many calls the other side left before they were answered whole. */
  readonly left: () => number
  close(): Promise<void>
}

/** A real HTTP server on loopback that answers as the test says, and keeps what it was sent. */
export async function startApi(answer: (call: Received, index: number) => Scripted): Promise<ApiServer> {
  const received: Received[] = []
  let left = 0
  const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const call: Received = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      body: Buffer.concat(chunks).toString('utf8'),
    }
    received.push(call)
    const scripted = answer(call, received.length - 1)
    response.once('close', () => {
      if (!response.writableFinished) left += 1
    })
    if (scripted === 'hang') return
    if (scripted === 'reset') {
      request.socket.destroy()
      return
    }
    response.writeHead(scripted.status, scripted.headers)
    if (scripted.endless) response.write(scripted.body ?? '')
    else response.end(scripted.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    left: () => left,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
