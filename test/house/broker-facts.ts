import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ALL_BROKERS, BROKER_IDS } from '../../lib/brokers/index.ts'

const ROOT = resolve(import.meta.dirname, '../..')
/** Where brokers are at home: their adapters, their likenesses, and the Lambda function of each. */
const AT_HOME = new RegExp(`^(lib/(brokers|simulators)/|functions/(${BROKER_IDS.join('|')})\\.ts$)`)

const ID = BROKER_IDS.toSorted((a, b) => b.length - a.length).join('|')
/** What only a broker's own guide or API calls so: variables, hosts, keys. */
const NAMES = [
  ...new Set(
    ALL_BROKERS.flatMap(({ credentials, hosts, guide }) => [
      ...credentials.flatMap(({ env = [] }) => [...env]),
      ...Object.keys(hosts),
      ...Object.values(guide?.hostVariables ?? {}),
      ...(guide?.accountsVariable ? [guide.accountsVariable] : []),
    ]),
  ),
].join('|')

const MARKS: readonly RegExp[] = [
  // A text that is a broker's id, or an account of one.
  new RegExp(`(['"\`])(?:${ID})(?:/[^'"\`]*?)?(?:\\1|\\$\\{)`, 'g'),
  // A part of a path, such as that of a secret.
  new RegExp(`(?<=\\w\\}?)/(?:${ID})/(?!.*\\.ts')`, 'g'),
  // A key or a property of that name: a table of brokers.
  new RegExp(`(?<=[{,.\\s])(?:${ID})(?=: )|(?<=\\w\\??\\.)(?:${ID})\\b`, 'g'),
  new RegExp(`brokers/(?:${ID})/[\\w-]+\\.ts`, 'g'),
  new RegExp(`\\b(?:${NAMES})\\b`, 'g'),
]

/** Where a source names a broker, comments left out. */
export function marksIn(source: string): readonly string[] {
  const code = source.replace(/^\s*(\/\*\*|\*|\/\/).*$/gm, '').replace(/\s\/\/ .*$/gm, '')
  return MARKS.flatMap((mark) => [...code.matchAll(mark)].map(([text]) => text))
}

/** What files away from home say of single brokers, by file. */
export function brokersAbroad(): ReadonlyMap<string, readonly string[]> {
  const files = ['lib', 'functions', 'infra'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .map((path) => `${folder}/${path.replaceAll('\\', '/')}`)
      .filter((path) => /\.(ts|mjs)$/.test(path) && !AT_HOME.test(path)),
  )
  const found = files.map((path) => [path, marksIn(readFileSync(join(ROOT, path), 'utf8'))] as const)
  return new Map(found.filter(([, marks]) => marks.length > 0))
}
