import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { describe, expect, test } from 'vitest'
import { BROKER_IDS, BROKERS } from '../../lib/brokers/index.ts'
import { SECRET_NAMES } from '../../lib/model/secrets/secret-name.ts'
import { namesOf } from '../../lib/tokens/lease/read-stored.ts'
import { assertLine, pageAt } from '../support/page.ts'

const root = new URL('../../', import.meta.url)
const readme = pageAt('README.md')

describe.each(BROKER_IDS)('the broker %s', (id) => {
  const broker = BROKERS[id]

  test.each([
    `lib/brokers/${id}/${id}.ts`,
    `lib/brokers/${id}/README.md`,
    `lib/simulators/${id}/${id}-simulator.ts`,
    `functions/${id}.ts`,
    `test/brokers/${id}/${id}.test.ts`,
  ])('has %s', (path) => expect(existsSync(new URL(path, root))).toBe(true))

  test('is in the README’s table', () => assertLine(readme, new RegExp(`^\\| \`${id}\` \\|`)))

  test('needs at most ten names, the most one batched read can fetch', () => {
    expect(namesOf(broker).length).toBeLessThanOrEqual(10)
  })

  test('asks for known names only, and each grant’s needs are among what is asked for', () => {
    const asked = broker.credentials.map(({ name }) => name)
    for (const name of asked) expect(SECRET_NAMES).toContain(name)
    for (const grant of broker.grants) for (const need of grant.needs) expect(asked).toContain(need)
  })

  test('has its hosts behind https', () => {
    for (const origin of Object.values(broker.hosts))
      expect(origin ?? 'https://').toMatch(/^https:\/\/[^/]*$/)
  })
})

const { scripts } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { scripts: object }

/** Every page people read, from the project's folder. */
const PAGES = [
  'README.md',
  ...['CHANGELOG', 'CONTRIBUTING', 'SECURITY'].map((name) => `.github/${name}.md`),
].concat(
  ['lib', 'functions', 'infra', 'test'].flatMap((folder) =>
    readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.md'))
      .map((path) => `${folder}/${path.replaceAll('\\', '/')}`),
  ),
)

describe.each(PAGES)('%s', (page) => {
  const text = readFileSync(new URL(page, root), 'utf8')
  const targets = [...text.matchAll(/(?:\]\(|src=")(?!https?:|mailto:)([^)"\s]+)/g)].map(([, to]) => {
    const [path = '', anchor] = (to as string).split('#')
    return { path: path === '' ? page : posix.join(posix.dirname(page), path), anchor }
  })

  test('links only to files there are', () => {
    expect(targets.filter(({ path }) => !existsSync(new URL(path, root)))).toEqual([])
  })

  test('advises only scripts there are', () => {
    const advised = [...text.matchAll(/\bnpm run (?:-s )?([\w:]+)/g)].map(([, script = '']) => script)
    expect(advised.filter((script) => !(script in scripts))).toEqual([])
  })

  test('links only to headings there are', () => {
    const astray = targets.filter(
      ({ path, anchor }) => anchor !== undefined && !slugsOf(path).includes(anchor),
    )
    expect(astray).toEqual([])
  })
})

test.each(
  PAGES.filter((page) =>
    /^(lib\/(tokens\/.+|model|model\/state|ports|accounts|http|local|aws|markets|files|channels)|test\/support)\/README/.test(
      page,
    ),
  ),
)('%s tells of every file in its room', (page) => {
  const text = readFileSync(new URL(page, root), 'utf8')
  const files = readdirSync(new URL(posix.dirname(page), root)).filter((name) => name.endsWith('.ts'))
  expect(files.filter((name) => !text.includes(`(${name})`))).toEqual([])
})

test('test/README.md shows how to run one test that is there', () => {
  const recipe = /`npm test -- (\S+) -t '([^']+)'`/.exec(pageAt('test/README.md').text)
  expect(recipe).not.toBeNull()
  const [, path = '', title = ''] = recipe ?? []
  assertLine(pageAt(path), `test('${title}'`)
})

test('the README leads and is no manual', () => {
  expect(Buffer.byteLength(readme.text)).toBeLessThan(14_000)
})

function slugsOf(page: string): readonly string[] {
  return [...readFileSync(new URL(page, root), 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
    (title as string)
      .toLowerCase()
      .replace(/[^\w\s-]/g, '')
      .replace(/\s/g, '-'),
  )
}

describe('the facts the code rests on', () => {
  const files = ['lib', 'functions', 'infra', 'test'].flatMap((folder) =>
    readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
      .filter((path) => /\.(ts|mjs|md)$/.test(path))
      .map((path) => `${folder}/${path.replaceAll('\\', '/')}`),
  )
  /** A comment in one line, however it is wrapped. */
  const textOf = (path: string): string =>
    readFileSync(new URL(path, root), 'utf8').replace(/\n\s*(\*|\/\/)?\s*/g, ' ')
  const headingsOf = (path: string): readonly string[] =>
    [...readFileSync(new URL(path, root), 'utf8').matchAll(/^## (.+)$/gm)].map(([, title]) => title as string)

  test('are in the repository: every broker’s folder states its own, and no file cites what a clone has not', () => {
    const folders = readdirSync(new URL('lib/brokers', root), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== 'shared')
      .map(({ name }) => name)
    expect(folders.toSorted()).toEqual([...BROKER_IDS].toSorted())
    expect(folders.filter((id) => !existsSync(new URL(`lib/brokers/${id}/README.md`, root)))).toEqual([])
    expect(files.length).toBeGreaterThan(500)
    expect(
      files.filter((path) =>
        /\b[Ss]heets?\b.{0,20}\bsections?\b|\b(DECISION[S]|DESIG[N])\b/.test(textOf(path)),
      ),
    ).toEqual([])
  })

  test('are cited by headings there are', () => {
    const astray = files.flatMap((path) => {
      const own = /^lib\/brokers\/([^/]+)\/[^/]+\.ts$/.exec(path)?.[0].replace(/[^/]+$/, 'README.md')
      return [
        ...textOf(path).matchAll(/(lib\/brokers\/(?:[a-z-]+\/)?README\.md|\bREADME), (?=[A-Z])(.{1,40})/g),
      ]
        .map(([, named = '', text = '']) => ({ readme: named === 'README' ? own : named, text }))
        .filter(({ readme, text }) => readme && !headingsOf(readme).some((title) => text.startsWith(title)))
        .map(({ text }) => `${path}: ${text}`)
    })
    expect(astray).toEqual([])
  })
})
