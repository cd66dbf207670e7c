import Ajv from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LocalServer, startLocalServer } from '../../lib/local/local-server.ts'
import { apiKeyIdIn, SCOPES } from '../../lib/model/api-key.ts'
import type { ApiDocument } from '../../lib/rest/routes/document.ts'
import { type GeneratedRequest, type Operation, operationsOf, requestsFor } from './support/requests.ts'
import { RestWorld } from './support/rest-world.ts'

const RUNS = 1_200
const RUNS_OVER_HTTP = 150
/** Words that stand for a token of the moment. */
const TOKENS = { '<live>': 'SIM001', '<stranger>': 'SIM002' } as const
const ACCOUNTS = ['ACC1', 'ACC2', 'upstox/ACC1', 'fyers', 'NOBODY']
const WORDS = {
  id: ACCOUNTS,
  broker: ['upstox', 'upstox', 'fyers', 'iifl'],
  name: ['ACC1', 'ACC2', 'NOBODY'],
  userID: [...ACCOUNTS, 'SIM001', 'XX00001'],
  account_id: ACCOUNTS,
  access_token: [...Object.keys(TOKENS), 'SIMULATED.access.token'],
  expires_at: ['2027-11-24T03:30:00+05:30', '2026-11-23T09:00:00', '1795471200'],
}

let world: RestWorld
let document: ApiDocument
let operations: readonly Operation[]
let ajv: Ajv.default
let server: LocalServer
const keys = new Map<string, string>()

beforeAll(async () => {
  world = await RestWorld.open()
  await world.upstoxAccounts()
  await world.fyersAccount()
  keys.set('none', '')
  keys.set('garbage', 'tk_aaaaaaaaaa_nothing')
  keys.set('all', await world.key())
  keys.set('limited', await world.key(SCOPES, ['upstox/ACC2']))
  for (const scope of SCOPES) keys.set(scope, await world.key([scope]))
  keys.set('revoked', await world.key())
  await world.keys.revoke(apiKeyIdIn(keys.get('revoked') as string) as string, world.clock.now())
  document = JSON.parse((await world.get('/openapi.json', keys.get('all'))).text)
  operations = operationsOf(document)
  ajv = new Ajv.default({ strict: false, validateFormats: false, allErrors: true })
  ajv.addSchema(document, 'document')
  server = await startLocalServer(world.app, 0)
})

afterAll(async () => {
  await server.close()
  await world.close()
})

/** The names of the keys; one that opens everything is presented as often as all others together. */
const presentable = (): readonly string[] => [...keys.keys(), ...Array<string>(keys.size).fill('all')]

/** A header as the network can carry it. */
const sendable = (value: string): string => value.replace(/[^\x20-\x7e]/g, '').trim()

function initOf({ method, key, headers, text }: GeneratedRequest): RequestInit {
  const presented = keys.get(key) as string
  const body = text?.replace(/<(live|stranger)>/g, (word) =>
    world.upstox.accessTokenFor(TOKENS[word as keyof typeof TOKENS]),
  )
  return {
    method,
    headers: {
      ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, sendable(value)])),
      ...(presented && { authorization: `Bearer ${presented}` }),
    },
    ...(body !== undefined && method === 'POST' && { body }),
  }
}

/** Everything that is not as documented; an empty list is what should be. */
async function objectionsTo(request: GeneratedRequest, reply: Response): Promise<readonly string[]> {
  const { operation, method, key } = request
  const text = await reply.text()
  const objections: string[] = []
  if (reply.status >= 500) objections.push(`answered ${reply.status}: ${text}`)
  const documented = operation.responses[reply.status]
  if (!documented) return [...objections, `${reply.status} is not documented: ${text}`]
  if (!/^[\w=-]{1,100}$/.test(reply.headers.get('x-request-id') ?? '')) objections.push('has no request id')
  const type = (reply.headers.get('content-type') ?? '').split(';')[0] as string
  const schema = documented[type]
  if (!schema) objections.push(`${reply.status} with the type "${type}" is not documented`)
  else if (method === 'HEAD') {
    if (text !== '') objections.push('a HEAD was answered with a body')
  } else if (/json/.test(type)) {
    const validate = ajv.compile({ ...schema, ...refsInto(schema) })
    if (!validate(JSON.parse(text)))
      objections.push(`does not fit its schema: ${ajv.errorsText(validate.errors)}`)
  }
  // No token but to who may have it, and no key to anybody.
  const tokens = await Promise.all(
    ['upstox/ACC1', 'upstox/ACC2', 'fyers'].map((account) => world.stored(account as never, 'access_token')),
  )
  if (!['all', 'limited', 'token'].includes(key) && tokens.some((token) => text.includes(token as string))) {
    objections.push('shows an access token')
  }
  if ([...keys.values()].some((one) => one !== '' && text.includes(one))) objections.push('repeats a key')
  return objections
}

/** A reference of the document, for a schema outside of it. */
function refsInto({ $ref }: { readonly $ref?: string }): object {
  return $ref === undefined ? {} : { $ref: `document${$ref}` }
}

test('no request made of the document, fitting, odd or malicious, is answered with a 5xx or otherwise than documented', async () => {
  const seen = new Map<string, number>()
  await fc.assert(
    fc.asyncProperty(requestsFor(operations, { keys: presentable(), words: WORDS }), async (request) => {
      world.clock.advance({ seconds: request.secondsLater })
      const reply = await world.app.request(request.path, initOf(request))
      const place = `${request.operation.method} ${request.operation.path} ${reply.status}`
      seen.set(place, (seen.get(place) ?? 0) + 1)
      expect(await objectionsTo(request, reply)).toEqual([])
    }),
    { numRuns: RUNS },
  )
  // The requests went deep enough to mean something.
  const statuses = new Set([...seen.keys()].map((place) => place.split(' ').at(-1)))
  for (const status of ['200', '400', '401', '403', '404', '413', '415', '422'])
    expect(statuses).toContain(status)
  const opened = operations.filter(({ method, path }) => seen.has(`${method} ${path} 200`))
  expect(opened.length).toBeGreaterThan(operations.length / 2)
})

test('the same holds over real HTTP', async () => {
  await fc.assert(
    fc.asyncProperty(requestsFor(operations, { keys: presentable(), words: WORDS }), async (request) => {
      world.clock.advance({ seconds: request.secondsLater })
      const reply = await fetch(`${server.url}${request.path}`, initOf(request))
      expect(await objectionsTo(request, reply)).toEqual([])
    }),
    { numRuns: RUNS_OVER_HTTP },
  )
})
