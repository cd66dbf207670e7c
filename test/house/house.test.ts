import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { BROKER_IDS, BROKERS } from '../../lib/brokers/index.ts'
import { SECRET_NAMES } from '../../lib/model/secret-name.ts'
import { namesOf } from '../../lib/tokens/refresh/read-stored.ts'

const root = new URL('../../', import.meta.url)
const readme = readFileSync(new URL('README.md', root), 'utf8')

describe.each(BROKER_IDS)('the broker %s', (id) => {
  const broker = BROKERS[id]

  test.each([
    `lib/brokers/${id}/${id}.ts`,
    `lib/simulators/${id}/${id}-simulator.ts`,
    `functions/${id}.ts`,
    `test/brokers/${id}/${id}.test.ts`,
  ])('has %s', (path) => expect(existsSync(new URL(path, root))).toBe(true))

  test('is in the README’s table', () => expect(readme).toMatch(new RegExp(`^\\| \`${id}\` \\|`, 'm')))

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

describe('the README', () => {
  test('links only to files there are', () => {
    const links = [...readme.matchAll(/\]\((?!https?:|#)([^)#]+)\)/g)].map(([, path]) => path as string)
    expect(links.length).toBeGreaterThan(10)
    expect(links.filter((path) => !existsSync(new URL(path, root)))).toEqual([])
  })

  test('links only to headings there are', () => {
    const slugs = [...readme.matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
      (title as string)
        .toLowerCase()
        .replace(/[^\w\s-]/g, '')
        .replace(/\s/g, '-'),
    )
    const anchors = [...readme.matchAll(/\]\(#([^)]+)\)/g)].map(([, slug]) => slug)
    expect(anchors.filter((slug) => !slugs.includes(slug as string))).toEqual([])
  })
})
