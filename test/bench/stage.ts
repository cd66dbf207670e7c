import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateTableCommand } from '@aws-sdk/client-dynamodb'
import { CreateTopicCommand } from '@aws-sdk/client-sns'
import { bundle } from '../../infra/constructs/bundle/bundle.ts'
import { dynamoDbClient, snsClient, ssmClient } from '../../lib/aws/clients.ts'
import { dynamoStateStore } from '../../lib/aws/dynamo/dynamo-state-store.ts'
import { ssmTokenVault } from '../../lib/aws/ssm-token-vault.ts'
import { parseAccountId } from '../../lib/model/account-id.ts'
import { changed, newAccountState } from '../../lib/model/account-state.ts'
import { Secret } from '../../lib/model/secrets/secret.ts'
import { FyersSimulator } from '../../lib/simulators/fyers/fyers-simulator.ts'
import { startSimulator } from '../../lib/simulators/kit/simulator-server.ts'
import { systemClock } from '../../lib/system-clock.ts'
import { emulatorEnvironment, useEnvironment } from '../aws/support/emulator.ts'
import { startMinistack } from '../aws/support/ministack.ts'

const PREFIX = '/bench'
const TABLE = 'bench-state'
const APP = { clientId: 'BENCHAPP01-100', secret: 'invented-app-secret' }
const PIN = '0412'

/** Milliseconds the simulated broker takes: a mint does more work than a read, and both cross a network. */
export interface Latency {
  readonly mintMs: number
  readonly readMs: number
}

/** One emulator, one simulated FYERS and many accounts: the same world for both handlers. */
export interface Stage {
  readonly simulator: FyersSimulator
  readonly bundles: { readonly ours: string; readonly handWritten: string }
  /** Environment of a process that runs one of the bundles. */
  readonly environment: Readonly<Record<string, string>>
  setLatency(latency: Latency): void
  /** The next `count` accounts nobody has refreshed yet. */
  takeAccounts(count: number): readonly string[]
  /** The same environment behind a proxy that counts calls to AWS by their operation. */
  counted(): Promise<{
    readonly environment: Stage['environment']
    take(): Record<string, number>
    close(): void
  }>
  close(): Promise<void>
}

export async function setStage(accounts: number): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'tokenkeeper-bench-'))
  const emulator = await startMinistack()
  const restore = useEnvironment(emulator.endpoint)
  const names = Array.from({ length: accounts }, (_, i) => `A${String(i).padStart(4, '0')}`)
  const users = names.map((fyId) => ({ fyId, name: `BENCH ${fyId}`, pin: PIN }))
  const simulator = new FyersSimulator(systemClock, APP, users)
  simulator.behaviour.perMinuteLimit = Number.POSITIVE_INFINITY
  let latency: Latency = { mintMs: 0, readMs: 0 }
  const broker = await startSimulator(simulator, {
    clock: systemClock,
    latencyMs: (path) => (path.endsWith('/profile') ? latency.readMs : latency.mintMs),
  })
  await storeAccounts(names, simulator)
  const sns = await snsClient()
  const { TopicArn: eventsTopicArn = '' } = await sns.send(new CreateTopicCommand({ Name: 'bench-tokens' }))
  const environment = (endpoint: string): Record<string, string> => ({
    ...emulatorEnvironment(endpoint),
    AWS_LAMBDA_FUNCTION_NAME: 'bench-fyers',
    POWERTOOLS_DEV: 'false',
    TOKENKEEPER_STACK: 'bench',
    TOKENKEEPER_PREFIX: PREFIX,
    TOKENKEEPER_TABLE: TABLE,
    TOKENKEEPER_TOPIC_ARN: 'arn:aws:sns:us-east-1:000000000000:bench',
    TOKENKEEPER_EVENTS_TOPIC_ARN: eventsTopicArn,
    TOKENKEEPER_BROKERS: '{"fyers":{"pacingSeconds":0}}',
    TOKENKEEPER_HOST_FYERS_API: broker.origin,
  })
  bundle('fyers.ts', join(folder, 'ours'))
  bundle('../test/bench/hand-written-handler.ts', join(folder, 'hand-written'))
  let taken = 0
  return {
    simulator,
    bundles: { ours: join(folder, 'ours/index.mjs'), handWritten: join(folder, 'hand-written/index.mjs') },
    environment: environment(emulator.endpoint),
    setLatency: (next) => {
      latency = next
    },
    takeAccounts(count) {
      if (taken + count > accounts) throw new Error(`the stage has ${accounts} accounts, too few`)
      taken += count
      return names.slice(taken - count, taken).map((name) => `fyers/${name}`)
    },
    async counted() {
      const proxy = await countingProxy(emulator.endpoint)
      return { environment: environment(proxy.endpoint), take: proxy.take, close: proxy.close }
    },
    async close() {
      restore()
      await broker.close()
      await emulator.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function storeAccounts(names: readonly string[], simulator: FyersSimulator): Promise<void> {
  const database = dynamoDbClient()
  await database.send(
    new CreateTableCommand({
      TableName: TABLE,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['pk', 'sk'].map((name) => ({ AttributeName: name, AttributeType: 'S' })),
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
    }),
  )
  const states = dynamoStateStore({ client: database, table: TABLE })
  const vault = ssmTokenVault({ client: ssmClient(), prefix: PREFIX, clock: systemClock })
  for (const name of names) {
    const account = parseAccountId(`fyers/${name}`)
    await vault.write(account, 'client_id', new Secret(APP.clientId))
    await vault.write(account, 'client_secret', new Secret(APP.secret))
    await vault.write(account, 'pin', new Secret(PIN))
    await vault.write(account, 'refresh_token', new Secret(simulator.refreshTokenFor(name)))
    await states.replace(changed(newAccountState(account), {}))
  }
}

/** Passes everything on to the emulator and counts the operations, which the SDK names in a header. */
async function countingProxy(
  target: string,
): Promise<{ endpoint: string; take(): Record<string, number>; close(): void }> {
  let counts: Record<string, number> = {}
  const server = createServer(async (request, response) => {
    const operation =
      String(request.headers['x-amz-target'] ?? request.url)
        .split('.')
        .at(-1) ?? ''
    counts[operation] = (counts[operation] ?? 0) + 1
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { host: _host, connection: _connection, 'content-length': _length, ...headers } = request.headers
    const reply = await fetch(target + request.url, {
      method: request.method ?? 'POST',
      headers: headers as Record<string, string>,
      body: Buffer.concat(chunks),
    })
    response.writeHead(reply.status, { 'content-type': reply.headers.get('content-type') ?? '' })
    response.end(Buffer.from(await reply.arrayBuffer()))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    take() {
      const taken = counts
      counts = {}
      return taken
    },
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
