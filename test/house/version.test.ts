import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { program } from '../../lib/cli/main.ts'
import { USER_AGENT, VERSION } from '../../lib/model/version.ts'
import { pageAt } from '../support/page.ts'

interface Versioned {
  readonly version: string
  readonly packages?: Readonly<Record<string, Versioned>>
}

function json(path: string): Versioned {
  return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as Versioned
}

test('the version of package.json is the lockfile’s, the newest in the list of changes and the one that is told', () => {
  const { version } = json('../../package.json')
  const lockfile = json('../../package-lock.json')
  const headings = pageAt('.github/CHANGELOG.md').lines.filter((line) => /^## (?!Unreleased)/.test(line))
  expect({
    lockfile: [lockfile.version, lockfile.packages?.['']?.version],
    changes: headings[0],
    constant: VERSION,
    command: program.version(),
    brokers: USER_AGENT,
  }).toEqual({
    lockfile: [version, version],
    changes: `## ${version}`,
    constant: version,
    command: version,
    brokers: `tokenkeeper/${version}`,
  })
})
