import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundle } from '../../infra/constructs/bundle/bundle.ts'
import { BROKER_IDS, BROKERS, type BrokerId } from '../../lib/brokers/index.ts'
import { sameDay } from '../support/same-day.ts'

/** What Node reads before a handler can start; each further 100 kB costs about 2 ms of a cold start. */
const MOST_START_BYTES = 1_000_000
/** The pages need as little of zod as a broker's function. */
const MOST_SITE_START_BYTES = 1_000_000
/** The schemas of the interface for programs bring the whole of zod with them. */
const MOST_REST_START_BYTES = 1_450_000
/** With everything that only some runs load; the Redis client is 640 kB of it. */
const MOST_BYTES = 3_100_000
/** The site speaks neither to brokers nor to Redis. */
const MOST_SITE_BYTES = 2_500_000

const SITE = 'site'
const REST = 'rest'
/** Two seconds of work on an idle machine; how long it takes beside other tests is not what is tested here. */
const BUNDLING_MS = 60_000
/** What is of the simulators and the embedded backend, and of no function. */
const EMBEDDED = ['Simulator', 'VirtualClock', 'PRAGMA user_version']
/** Reads schedules: only where something went wrong, and never for a page. */
const SCHEDULES = 'CronPattern: '

let directory: string
const sizes = new Map<string, Readonly<Record<string, number>>>()

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tokenkeeper-bundle-'))
  for (const id of [...BROKER_IDS, SITE, REST]) sizes.set(id, bundle(`${id}.ts`, join(directory, id)))
}, BUNDLING_MS)

afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** The files of a bundle that the entry imports statically, itself included. */
function startFiles(id: string, file = 'index.mjs', found = new Set<string>()): Set<string> {
  found.add(file)
  const source = readFileSync(join(directory, id, file), 'utf8')
  for (const [, imported = ''] of source.matchAll(/(?:from|import)"\.\/([\w-]+\.mjs)"/g)) {
    if (!found.has(imported)) startFiles(id, imported, found)
  }
  return found
}

function textOf(id: string, files: Iterable<string> = readdirSync(join(directory, id))): string {
  return [...files].map((file) => readFileSync(join(directory, id, file), 'utf8')).join('\n')
}

function bytesOf(id: string, files?: Iterable<string>): number {
  const bytes = sizes.get(id) ?? {}
  return [...(files ?? Object.keys(bytes))].reduce((total, file) => total + (bytes[file] ?? 0), 0)
}

describe.each(BROKER_IDS)('the bundle of %s', (id) => {
  test('is small, and smaller still until something has to be sent', () => {
    expect(bytesOf(id)).toBeLessThan(MOST_BYTES)
    expect(bytesOf(id, startFiles(id))).toBeLessThan(MOST_START_BYTES)
  })

  test('holds no other broker, no simulator and nothing of the embedded backend', () => {
    const text = textOf(id)
    const own = new Set(Object.values<string | undefined>(BROKERS[id].hosts))
    const strangers = BROKER_IDS.flatMap((other) => Object.values<string | undefined>(BROKERS[other].hosts))
      .filter((host) => host !== undefined)
      .filter((host) => !own.has(host))
    expect([...strangers, ...EMBEDDED].filter((word) => text.includes(word))).toEqual([])
  })

  test('reads HTTP, SNS, Lambda and Redis clients, and schedules, only when a run needs them', () => {
    const [start, whole] = [textOf(id, startFiles(id)), textOf(id)]
    const later = [
      SCHEDULES,
      'UND_ERR_CONNECT_TIMEOUT',
      'AmazonSimpleNotificationService',
      'AWSGirApiService',
      'SocketClosedUnexpectedlyError',
    ]
    expect(later.filter((word) => whole.includes(word))).toEqual(later)
    expect(later.filter((word) => start.includes(word))).toEqual([])
  })
})

test.each([...BROKER_IDS, SITE, REST])('what %s loads later has the names it is asked for', (id) => {
  const loaded = textOf(id).matchAll(/import\("\.\/([\w.-]+\.mjs)"\)/g)
  const files = [...new Set([...loaded].map(([, file = '']) => file))]
  expect(files).not.toEqual([])
  // A package in CommonJS that is imported by its own name gives nothing but a default here.
  expect(files.filter((file) => !/export *\{/.test(textOf(id, [file])))).toEqual([])
})

describe('the bundle of the login site', () => {
  test('is small: a person waits for its cold start', () => {
    expect(bytesOf(SITE)).toBeLessThan(MOST_SITE_BYTES)
    expect(bytesOf(SITE, startFiles(SITE))).toBeLessThan(MOST_SITE_START_BYTES)
  })

  test('cannot speak to a broker or a Redis, and holds nothing of the embedded backend', () => {
    const text = textOf(SITE)
    const absent = ['UND_ERR_CONNECT_TIMEOUT', 'SocketClosedUnexpectedlyError', SCHEDULES, ...EMBEDDED]
    expect(absent.filter((word) => text.includes(word))).toEqual([])
  })

  test('holds nothing of the interface for programs: what everybody reaches has no way to a token', () => {
    // A route, what reads a token, and what the schemas bring: sixty languages, Danish among them.
    const words = ['/api/integration/tokens/refresh-all', 'readPublished', 'Ugyldig']
    expect(words.filter((word) => textOf(REST).includes(word))).toEqual(words)
    expect(words.filter((word) => textOf(SITE).includes(word))).toEqual([])
  })

  test('reads the client of the brokers’ functions when somebody presses a button', () => {
    expect(textOf(SITE)).toContain('AWSGirApiService')
    expect(textOf(SITE, startFiles(SITE))).not.toContain('AWSGirApiService')
  })
})

describe('the bundle of the interface for programs', () => {
  test('is small, has its routes, and no page', () => {
    expect(bytesOf(REST)).toBeLessThan(MOST_SITE_BYTES)
    expect(bytesOf(REST, startFiles(REST))).toBeLessThan(MOST_REST_START_BYTES)
    expect(textOf(REST)).toContain('/api/integration/tokens/refresh-all')
  })

  test('cannot speak to a broker or a Redis', () => {
    const absent = ['UND_ERR_CONNECT_TIMEOUT', 'SocketClosedUnexpectedlyError', SCHEDULES, ...EMBEDDED]
    expect(absent.filter((word) => textOf(REST).includes(word))).toEqual([])
  })
})

describe('the bundled handler', () => {
  /** Invokes it in a Node of its own, with an AWS that nobody answers for. */
  function invoke(id: BrokerId, event: unknown): { reply?: Record<string, unknown>; error?: string } {
    const script = `
      const { handler } = await import(${JSON.stringify(pathToFileURL(join(directory, id, 'index.mjs')).href)})
      const context = { awsRequestId: 'request', getRemainingTimeInMillis: () => 50_000 }
      const ended = await handler(${JSON.stringify(event)}, context).then(
        (reply) => ({ reply }),
        (error) => ({ error: error.message }),
      )
      console.log('\\nENDED' + JSON.stringify(ended))
      process.exit()`
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      encoding: 'utf8',
      env: {
        ...sameDay(),
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
        AWS_REGION: 'us-east-1',
        AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
        AWS_LAMBDA_FUNCTION_NAME: `Tokenkeeper-${id}`,
        TOKENKEEPER_PREFIX: '/stock-pipeline',
        TOKENKEEPER_TABLE: 'Tokenkeeper-state',
        TOKENKEEPER_TOPIC_ARN: 'arn:aws:sns:us-east-1:111122223333:Tokenkeeper-alerts',
        TOKENKEEPER_BROKERS: JSON.stringify({ [id]: { pacingSeconds: 1 } }),
      },
    })
    const ended = /\nENDED(.*)/.exec(stdout)?.[1]
    if (ended === undefined) throw new Error(`the bundle did not answer: ${stderr}`)
    return JSON.parse(ended) as ReturnType<typeof invoke>
  }

  test('answers with a report when AWS is away, and names the errors as the source does', () => {
    const { reply } = invoke('fyers', {})
    expect(reply).toMatchObject({ success: false, total: 1, results: [{ account: 'fyers', code: 'state' }] })
    expect(JSON.stringify(reply)).toContain('DynamoDB did not answer')
  })

  test('takes a step of a login with the chunk it reads for that, and answers when AWS is away', () => {
    const step = { step: 'start', account: 'fyers', browser: 'sha256-of-the-cookie' }
    expect(invoke('fyers', { login: step }).reply).toMatchObject({ refused: true, code: 'state' })
  })

  test.each(BROKER_IDS)('of %s starts and refuses an account of another broker', (id) => {
    expect(invoke(id, { accounts: ['stranger'] }).error).toContain(`stranger is no account of ${id}`)
  })
})
