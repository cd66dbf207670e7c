import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { Certified } from './private-authority.ts'

/** What listens on loopback until it is closed. */
export interface Listening {
  readonly port: number
  close(): Promise<void>
}

/** What a proxy was asked for. */
interface ProxyRequest {
  readonly method: string | undefined
  readonly target: string | undefined
  readonly authorization: string | undefined
}

export interface CountingProxy extends Listening {
  readonly asked: ProxyRequest[]
  /** What CONNECT is answered with from now on: a status, or nothing but an end. @default 200 */
  answer: number | 'drop'
}

/** TLS in front of an http server on loopback, as a broker has it. */
export async function tlsInFrontOf(origin: string, certified: Certified): Promise<Listening> {
  const { port } = new URL(origin)
  const sockets = new Set<Socket>()
  const server = createTlsServer(certified, (socket) => {
    sockets.add(socket)
    tied(socket, connect(Number(port), '127.0.0.1'))
  })
  server.on('tlsClientError', () => undefined)
  return listening(server, sockets)
}

/** A proxy that knows one way for every name: to a port of this machine. */
export async function proxyTo(port: number): Promise<CountingProxy> {
  const asked: ProxyRequest[] = []
  const sockets = new Set<Socket>()
  const note = ({ method, url, headers }: IncomingMessage): void => {
    asked.push({ method, target: url, authorization: headers['proxy-authorization'] })
  }
  const server = createServer((request, response) => {
    note(request)
    response.end(JSON.stringify({ forwarded: request.url }))
  })
  server.on('connect', (request, socket: Socket) => {
    note(request)
    sockets.add(socket)
    if (proxy.answer === 'drop') socket.destroy()
    else if (proxy.answer !== 200) socket.end(`HTTP/1.1 ${proxy.answer} No\r\n\r\n`)
    else {
      socket.write('HTTP/1.1 200 Connected\r\n\r\n')
      tied(socket, connect(port, '127.0.0.1'))
    }
  })
  const proxy: CountingProxy = { ...(await listening(server, sockets)), asked, answer: 200 }
  return proxy
}

function tied(one: Socket, other: Socket): void {
  one.pipe(other).pipe(one)
  for (const [socket, peer] of [
    [one, other],
    [other, one],
  ] as const) {
    socket.on('error', () => peer.destroy())
    socket.on('close', () => peer.destroy())
  }
}

interface Server {
  listen(port: number, host: string): unknown
  address(): AddressInfo | string | null
  close(callback: () => void): unknown
  once(event: 'listening', listener: () => void): unknown
}

async function listening(server: Server, sockets: ReadonlySet<Socket>): Promise<Listening> {
  server.listen(0, '127.0.0.1')
  await new Promise<void>((resolve) => server.once('listening', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(resolve))
    },
  }
}
