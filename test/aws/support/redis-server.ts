import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '@redis/client'
import { freePort } from '../../support/free-port.ts'

/** Debian's packages redis-server and openssl. */
const PROGRAM = 'redis-server'
const OPENSSL = 'openssl'
const STARTED = 'Ready to accept connections'
const START_MS = 10_000

export interface RedisServerOptions {
  readonly port?: number
  readonly password?: string
  /** Further lines of redis.conf. */
  readonly lines?: readonly string[]
  /** With a certificate of an authority of its own, for the names given. */
  readonly tls?: { readonly names: string }
}

/** Debian's redis-server on a free port of loopback, with nothing on disk but its certificate. */
export class RedisServer {
  readonly port: number
  /** Of its certificate's authority. */
  readonly ca: string
  readonly #child: ChildProcess
  readonly #folder: string
  readonly #options: RedisServerOptions

  private constructor(port: number, folder: string, options: RedisServerOptions) {
    this.port = port
    this.#folder = folder
    this.#options = options
    this.ca = options.tls ? certificate(folder, options.tls.names) : ''
    this.#child = spawn(PROGRAM, ['-'], { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] })
    this.#child.stdin?.end(`${this.#lines().join('\n')}\n`)
  }

  static async start(options: RedisServerOptions = {}): Promise<RedisServer> {
    if (spawnSync(PROGRAM, ['--version']).error) {
      throw new Error(
        'install redis-server (Debian: apt-get install redis-server): these tests need a real one',
      )
    }
    const folder = mkdtempSync(join(tmpdir(), 'tokenkeeper-redis-'))
    const server = new RedisServer(options.port ?? (await freePort()), folder, options)
    await server.#ready()
    return server
  }

  url(user = ''): string {
    return `${this.#options.tls ? 'rediss' : 'redis'}://${user && `${user}@`}localhost:${this.port}`
  }

  /** One command of an administrator. */
  async command<Reply = unknown>(...args: readonly string[]): Promise<Reply> {
    const { tls, password } = this.#options
    const client = createClient({
      RESP: 2,
      socket: {
        host: '127.0.0.1',
        port: this.port,
        reconnectStrategy: false,
        ...(tls && { tls: true, rejectUnauthorized: false }),
      },
      ...(password && { password }),
    })
    client.on('error', () => undefined)
    await client.connect()
    try {
      return (await client.sendCommand([...args])) as Reply
    } finally {
      client.destroy()
    }
  }

  /** Every key with its value. */
  async contents(): Promise<Readonly<Record<string, string>>> {
    const keys = (await this.command<string[]>('KEYS', '*')).sort()
    const values = keys.length > 0 ? await this.command<string[]>('MGET', ...keys) : []
    return Object.fromEntries(keys.map((key, index) => [key, values[index] ?? '']))
  }

  async secondsToLive(key: string): Promise<number> {
    return this.command<number>('TTL', key)
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGKILL')
      await once(this.#child, 'exit')
    }
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #lines(): readonly string[] {
    const { tls, password, lines = [] } = this.#options
    const ports = tls
      ? [
          'port 0',
          `tls-port ${this.port}`,
          'tls-cert-file cert.pem',
          'tls-key-file key.pem',
          'tls-auth-clients no',
        ]
      : [`port ${this.port}`]
    const closed = password ? [`requirepass ${password}`] : []
    return ['bind 127.0.0.1 -::1', 'save ""', 'appendonly no', ...ports, ...closed, ...lines]
  }

  async #ready(): Promise<void> {
    const { stdout } = this.#child
    if (!stdout) throw new Error('redis-server has no stdout')
    let said = ''
    const late = AbortSignal.timeout(START_MS)
    while (!said.includes(STARTED)) {
      const [chunk] = await Promise.race([
        once(stdout, 'data', { signal: late }),
        once(this.#child, 'exit').then(() => {
          throw new Error(`redis-server ended: ${said}`)
        }),
      ])
      said += chunk
    }
    stdout.resume()
  }
}

/** An authority of its own and a certificate by it; gives the authority's. */
function certificate(folder: string, names: string): string {
  const openssl = (...args: string[]): void =>
    void execFileSync(OPENSSL, args, { cwd: folder, stdio: ['ignore', 'ignore', 'ignore'] })
  const request = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '2',
  ]
  openssl(...request, '-keyout', 'ca-key.pem', '-out', 'ca.pem', '-subj', '/CN=Simulated authority')
  const signed = ['-CA', 'ca.pem', '-CAkey', 'ca-key.pem', '-addext', `subjectAltName=${names}`]
  openssl(...request, ...signed, '-keyout', 'key.pem', '-out', 'cert.pem', '-subj', '/CN=Simulated Redis')
  return readFileSync(join(folder, 'ca.pem'), 'utf8')
}
