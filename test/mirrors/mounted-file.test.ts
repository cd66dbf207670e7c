import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ended } from '../command/command.ts'
import { tokenOf } from './support/publication.ts'

const HAS_NAMESPACES = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'tmpfs', tmpdir()]).status === 0
if (!HAS_NAMESPACES) {
  console.warn('SKIPPED: mirror files that are mounts, since this machine lets nobody mount (unshare -rm)')
}

const WRITER = new URL('./support/mounted-writer.ts', import.meta.url).pathname
const TOKEN = tokenOf('fyers').reveal()

let folder: string
/** What the container's owner has, and where the container sees it. */
let outside: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tokenkeeper-mounted-'))
  outside = join(folder, 'outside.env')
  path = join(folder, 'app', '.env')
  mkdirSync(join(folder, 'app'))
  writeFileSync(outside, 'A=1\n')
  writeFileSync(path, '')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Publishes, keeps or withdraws where these mounts are. */
async function mirror(mounts: string, ...args: readonly string[]) {
  const command = `${mounts} && exec ${process.execPath} ${WRITER} ${path} ${args.join(' ')}`
  return ended(spawn('unshare', ['-rm', 'bash', '-c', command]))
}

const FILE = () => `mount --bind ${outside} ${path}`

describe.runIf(HAS_NAMESPACES).each([
  ['that is a mount of its own', FILE],
  [
    'that is a mount of its own in a read-only folder',
    () =>
      `mount --bind ${folder}/app ${folder}/app && mount -o remount,bind,ro ${folder}/app && mount --bind ${outside} ${path}`,
  ],
])('a mirror file %s', (_, mounts) => {
  test('is written where it lies, closed to others, with nothing beside it', async () => {
    const { ino } = statSync(outside)
    expect(await mirror(mounts(), 'dotenv', 'published')).toMatchObject({ code: 0, stderr: '' })
    expect(readFileSync(outside, 'utf8')).toBe(`A=1\nFYERS_ACCESS_TOKEN='${TOKEN}'\n`)
    expect(statSync(outside)).toMatchObject({ ino })
    expect(statSync(outside).mode & 0o777).toBe(0o600)
    expect(readdirSync(join(folder, 'app'))).toEqual(['.env'])
  })

  test('has nothing left of what it held before, however long that was', async () => {
    writeFileSync(outside, `${'x'.repeat(100_000)}`)
    expect(await mirror(mounts(), 'token', 'published')).toMatchObject({ code: 0 })
    expect(readFileSync(outside, 'utf8')).toBe(`${TOKEN}\n`)
  })

  test('is emptied when its one account is withdrawn, and holds no token then', async () => {
    expect(await mirror(mounts(), 'token', 'published', 'withdrawn', 'withdrawn', 'inspect')).toMatchObject({
      code: 0,
      stdout: 'not there\n',
    })
    expect(readFileSync(outside, 'utf8')).toBe('')
    expect(await mirror(mounts(), 'token', 'kept', 'inspect')).toMatchObject({ stdout: 'there\n' })
  })
})

test.runIf(HAS_NAMESPACES)('a mounted file that cannot be written either is told as such', async () => {
  const { code, stderr } = await mirror(
    `${FILE()} && mount -o remount,bind,ro ${path}`,
    'dotenv',
    'published',
  )
  expect(code).toBe(1)
  expect(stderr).toContain(`${path} cannot be written (EROFS)`)
  expect(readFileSync(outside, 'utf8')).toBe('A=1\n')
})
