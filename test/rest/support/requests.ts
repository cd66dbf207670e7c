import fc from 'fast-check'
import type { ApiDocument } from '../../../lib/rest/routes/document.ts'

/** One operation of the document, with its references resolved. */
export interface Operation {
  readonly path: string
  readonly method: string
  readonly params: readonly string[]
  readonly body: Schema | undefined
  readonly responses: Readonly<Record<string, Readonly<Record<string, Schema>>>>
}

interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly anyOf?: readonly Schema[]
  readonly [member: string]: unknown
}

export interface GeneratedRequest {
  readonly operation: Operation
  readonly method: string
  readonly path: string
  /** Which of the caller's keys is presented. */
  readonly key: string
  readonly headers: Readonly<Record<string, string>>
  readonly text: string | undefined
  readonly secondsLater: number
}

/** What people have tried on others: injection, traversal, templates, formats, names of the language. */
const MALICE = [
  "' OR 1=1 --",
  '"; DROP TABLE api_key; --',
  '../../etc/passwd',
  '%2e%2e%2f',
  '$\u007bjndi:ldap://127.0.0.1/x}',
  '{{7*7}}',
  '<script>alert(1)</script>',
  '\u0000',
  '\r\nset-cookie: a=b',
  '\u202e\ufeff\u{1f680}',
  '__proto__',
  'constructor',
  'toString',
  '-1',
  '1e999',
  'NaN',
  '\ud800'.toWellFormed(),
  'x'.repeat(2_000),
]

const TYPES = [
  'application/json',
  'application/json; charset=utf-8',
  'APPLICATION/JSON',
  'application/vnd.example+json',
  'text/plain',
  'multipart/form-data; boundary=x',
  'nonsense;;;',
]

const LONGEST_BODY = 16 * 1024

/** The operations of a document. */
export function operationsOf(document: ApiDocument): readonly Operation[] {
  const schemas = (document.components?.schemas ?? {}) as Record<string, Schema>
  const resolved = (schema: Schema): Schema => {
    const name = schema.$ref?.split('/').at(-1)
    return name === undefined ? schema : (schemas[name] as Schema)
  }
  const contents = (content: object = {}): Record<string, Schema> =>
    Object.fromEntries(
      Object.entries(content).map(([type, { schema }]: [string, { schema: Schema }]) => [type, schema]),
    )
  return Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => {
      const { requestBody, responses } = operation as {
        requestBody?: { content: object }
        responses: Record<string, { content?: object }>
      }
      const body = requestBody && contents(requestBody.content)['application/json']
      return {
        path,
        method: method.toUpperCase(),
        params: [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string),
        body: body && resolved(body),
        responses: Object.fromEntries(
          Object.entries(responses).map(([status, { content }]) => [status, contents(content)]),
        ),
      }
    }),
  )
}

export interface Vocabulary {
  /** Names of keys the test has. */
  readonly keys: readonly string[]
  /** Values that mean something here, by the field or parameter they are for. */
  readonly words: Readonly<Record<string, readonly string[]>>
}

/** Requests for the operations of a document: fitting ones, ones that nearly fit, and malicious ones. */
export function requestsFor(
  operations: readonly Operation[],
  { keys, words }: Vocabulary,
): fc.Arbitrary<GeneratedRequest> {
  const text = (field: string): fc.Arbitrary<string> =>
    fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(...(words[field] ?? MALICE)) },
      { weight: 2, arbitrary: fc.constantFrom(...MALICE) },
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: 'binary' }).map((one) => one.toWellFormed()),
    )
  // "." and ".." are gone before a server sees them.
  const segment = (name: string): fc.Arbitrary<string> => text(name).filter((one) => !/^\.{0,2}$/.test(one))

  const fitting = (schema: Schema, field = ''): fc.Arbitrary<unknown> => {
    if (schema.anyOf) return fc.oneof(...schema.anyOf.map((one) => fitting(one, field)))
    switch (schema.type) {
      case 'object': {
        const properties = Object.entries(schema.properties ?? {}).map(
          ([name, one]) => [name, fitting(one, name)] as const,
        )
        const required = (schema['required'] ?? []) as readonly string[]
        return fc.record(Object.fromEntries(properties), { requiredKeys: [...required] })
      }
      case 'integer':
        return fc.oneof(fc.integer({ min: 0, max: 5 }), fc.maxSafeInteger())
      case 'number':
        return fc.oneof(fc.integer({ min: 1_700_000_000, max: 1_900_000_000 }), fc.double())
      case 'boolean':
        return fc.boolean()
      default:
        return text(field)
    }
  }
  /** A field of another type, a field too many, a name of the language. */
  const nearly = (schema: Schema): fc.Arbitrary<unknown> =>
    fc
      .tuple(
        fitting(schema),
        fc.constantFrom(...Object.keys(schema.properties ?? {}), '__proto__', 'constructor', 'more'),
        fc.jsonValue({ maxDepth: 3 }),
      )
      .map(([value, name, odd]) => ({ ...(value as object), [name]: odd }))
  const deep = fc
    .tuple(fc.constantFrom('[', '{"a":'), fc.integer({ min: 10, max: 3_000 }))
    .map(([opening, times]) => `${opening.repeat(times)}1${(opening === '[' ? ']' : '}').repeat(times)}`)

  const bodyOf = ({ body }: Operation): fc.Arbitrary<string | undefined> => {
    if (!body) return fc.constant(undefined)
    return fc.oneof(
      { weight: 5, arbitrary: fitting(body).map((value) => JSON.stringify(value)) },
      { weight: 3, arbitrary: nearly(body).map((value) => JSON.stringify(value)) },
      fc.json(),
      text(''),
      deep,
      fc.constant(`{"access_token":"${'x'.repeat(LONGEST_BODY)}"}`),
      fc.constant(undefined),
    )
  }
  const headers = fc.record(
    {
      'content-type': fc.oneof(
        { weight: 6, arbitrary: fc.constant(TYPES[0] as string) },
        fc.constantFrom(...TYPES),
      ),
      'x-request-id': fc.string({ maxLength: 120 }),
      accept: fc.constantFrom('application/json', 'text/html', '*/*', 'nonsense'),
      'accept-language': fc.string({ maxLength: 20 }),
    },
    { requiredKeys: [] },
  )

  return fc.constantFrom(...operations).chain((operation) =>
    fc.record({
      operation: fc.constant(operation),
      method: fc.constantFrom(
        operation.method,
        operation.method,
        operation.method === 'GET' ? 'HEAD' : 'POST',
      ),
      path: fc
        .tuple(...operation.params.map(segment))
        .map((values) =>
          operation.params.reduce(
            (path, name, index) =>
              path.replace(`{${name}}`, () => encodeURIComponent(values[index] as string)),
            operation.path,
          ),
        ),
      key: fc.constantFrom(...keys),
      headers,
      text: bodyOf(operation),
      secondsLater: fc.constantFrom(0, 0, 1, 15, 61, 900),
    }),
  )
}
