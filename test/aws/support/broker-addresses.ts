import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { needed } from './readme-example.ts'

/** The brokers' own https addresses, for programs that are not ours and take no other host. */
export interface BrokerAddresses {
  /** What makes curl and Python find them: a proxy, and the authority of its certificate. */
  readonly env: Readonly<Record<string, string>>
  close(): Promise<void>
}

/**
 * Leads `https://<host>` to a simulator: a proxy that knows these hosts and no others, so that nothing leaves this
 * machine, and a TLS server with a certificate for them. Throws where openssl is missing.
 */
export async function startBrokerAddresses(
  origins: Readonly<Record<string, string>>,
): Promise<BrokerAddresses> {
  const folder = mkdtempSync(join(tmpdir(), 'tokenkeeper-addresses-'))
  const files = certificate(folder, Object.keys(origins))
  const secure = createTlsServer(
    { key: readFileSync(files.key), cert: readFileSync(files.certificate) },
    (incoming, outgoing) => forward(incoming, outgoing, origins[incoming.headers.host ?? '']),
  )
  const proxy = createServer((_, outgoing) => void outgoing.writeHead(403).end())
  const tlsPort = await listening(secure)
  proxy.on('connect', ({ url }, socket) => {
    const known = Object.keys(origins).some((host) => url === `${host}:443`)
    if (!known) return void socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
    const through = connect(tlsPort, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      through.pipe(socket).pipe(through)
    })
    for (const end of [through, socket]) end.on('error', () => through.destroy())
    return undefined
  })
  const address = `http://127.0.0.1:${await listening(proxy)}`
  return {
    env: {
      HTTPS_PROXY: address,
      https_proxy: address,
      SSL_CERT_FILE: files.certificate,
      CURL_CA_BUNDLE: files.certificate,
    },
    async close() {
      await Promise.all([closed(secure), closed(proxy)])
      rmSync(folder, { recursive: true })
    },
  }
}

function forward(incoming: IncomingMessage, outgoing: ServerResponse, origin: string | undefined): void {
  if (origin === undefined) return void outgoing.writeHead(421).end()
  const { method, headers, url = '/' } = incoming
  const onward = request(new URL(url, origin), { method, headers }, (reply) => {
    outgoing.writeHead(reply.statusCode ?? 502, reply.headers)
    reply.pipe(outgoing)
  })
  onward.on('error', () => outgoing.destroy())
  incoming.pipe(onward)
}

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

function closed(server: ReturnType<typeof createServer>): Promise<void> {
  server.closeAllConnections()
  return new Promise((resolve) => server.close(() => resolve()))
}

function certificate(folder: string, hosts: readonly string[]): { key: string; certificate: string } {
  const files = { key: join(folder, 'key.pem'), certificate: join(folder, 'cert.pem') }
  const names = hosts.map((host) => `DNS:${host}`).join(',')
  execFileSync(
    needed('openssl', 'openssl'),
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
      ...['-subj', '/CN=Simulated brokers', '-addext', `subjectAltName=${names}`],
      ...['-keyout', files.key, '-out', files.certificate],
    ],
    { stdio: 'ignore' },
  )
  return files
}
