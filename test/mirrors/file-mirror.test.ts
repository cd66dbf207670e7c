import { fork } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'dotenv'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fileMirror } from '../../lib/mirrors/file-mirror.ts'
import { parseAccountId } from '../../lib/model/account-id.ts'
import { ConfigurationError, SubscriberError } from '../../lib/model/errors.ts'
import { Secret } from '../../lib/model/secrets/secret.ts'
import type { Subscriber } from '../../lib/ports/subscriber.ts'
import { thrownBy } from '../support/thrown.ts'
import { publication, tokenOf } from './support/publication.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tokenkeeper-mirror-'))
  path = join(folder, '.env')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const dotenv = (...accounts: string[]): Subscriber =>
  fileMirror({
    path,
    format: 'dotenv',
    ...(accounts.length > 0 && { accounts: accounts.map(parseAccountId) }),
  })
const text = (): string => readFileSync(path, 'utf8')
const ACC1 = tokenOf('upstox/ACC1').reveal()
const FYERS = tokenOf('fyers').reveal()

describe('a dotenv file', () => {
  test('is made with the variable of the account, for its owner only', async () => {
    await dotenv().onPublished(publication('fyers'))
    expect(text()).toBe(`FYERS_ACCESS_TOKEN='${FYERS}'\n`)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder)).toEqual(['.env'])
  })

  test.each([
    ['upstox/ACC1', [], ['UPSTOX_ACC1_ACCESS_TOKEN']],
    ['upstox/ACC1', ['upstox/ACC1', 'fyers'], ['UPSTOX_ACC1_ACCESS_TOKEN', 'UPSTOX_ACCESS_TOKEN']],
    ['upstox/ACC1', ['upstox/ACC1', 'upstox/ACC2'], ['UPSTOX_ACC1_ACCESS_TOKEN']],
    ['upstox/a.b-c', [], ['UPSTOX_A_B_C_ACCESS_TOKEN']],
    ['pos-connector', [], ['POS_CONNECTOR_ACCESS_TOKEN']],
  ])('has %s, among %j, as %j', async (account, accounts, names) => {
    await dotenv(...accounts).onPublished(publication(account))
    const token = tokenOf(account).reveal()
    expect(parse(text())).toEqual(Object.fromEntries(names.map((name) => [name, token])))
  })

  test('keeps every other byte', async () => {
    const before = Buffer.concat([
      Buffer.from("# tokens\r\nexport FYERS_ACCESS_TOKEN = 'old' # ours\r\n\r\nOTHER=1\r\n"),
      Buffer.from([0xff, 0xfe, 0x0a]),
      Buffer.from('MULTI="a\nFYERS_ACCESS_TOKEN=inside\nb"\n#FYERS_ACCESS_TOKEN=off\nLAST=no newline'),
    ])
    writeFileSync(path, before)
    await dotenv().onPublished(publication('fyers'))
    const expected = before.toString('latin1').replace("'old'", `'${FYERS}'`)
    expect(readFileSync(path).toString('latin1')).toBe(expected)
  })

  test.each([
    ['FYERS_ACCESS_TOKEN=', `FYERS_ACCESS_TOKEN='${FYERS}'`],
    ['FYERS_ACCESS_TOKEN=old # ours\n', `FYERS_ACCESS_TOKEN='${FYERS}' # ours\n`],
    ['FYERS_ACCESS_TOKEN="o\nl\nd"\nA=1\n', `FYERS_ACCESS_TOKEN='${FYERS}'\nA=1\n`],
    ['A=1', `A=1\nFYERS_ACCESS_TOKEN='${FYERS}'\n`],
    ['A=1\r\n', `A=1\r\nFYERS_ACCESS_TOKEN='${FYERS}'\r\n`],
    ['MY_FYERS_ACCESS_TOKEN=x\n', `MY_FYERS_ACCESS_TOKEN=x\nFYERS_ACCESS_TOKEN='${FYERS}'\n`],
    [
      'FYERS_ACCESS_TOKEN=a\nFYERS_ACCESS_TOKEN=b\n',
      `FYERS_ACCESS_TOKEN='${FYERS}'\nFYERS_ACCESS_TOKEN='${FYERS}'\n`,
    ],
  ])('that holds %j becomes %j', async (before, after) => {
    writeFileSync(path, before)
    await dotenv().onPublished(publication('fyers'))
    expect(text()).toBe(after)
    expect(parse(text())['FYERS_ACCESS_TOKEN']).toBe(FYERS)
  })

  test.each([
    "sim.it's.token",
    'sim."quoted".token',
    'sim.$HOME.`id`.token',
    'sim.a#b.token',
    'sim.$&.$1.token',
  ])('gives readers the token as it is: %s', async (token) => {
    await dotenv().onPublished({ ...publication('fyers'), accessToken: new Secret(token) })
    expect(parse(text())['FYERS_ACCESS_TOKEN']).toBe(token)
  })

  test('refuses a token no quotes can hold', async () => {
    const accessToken = new Secret(`sim.'both".token`)
    const error = await failure(dotenv().onPublished({ ...publication('fyers'), accessToken }))
    expect(error.message).not.toContain('both')
    expect(existsSync(path)).toBe(false)
  })

  test('loses the lines of a withdrawn account and no other', async () => {
    const mirror = dotenv('upstox/ACC1', 'fyers')
    writeFileSync(path, '# mine\nA=1\n')
    await mirror.onPublished(publication('upstox/ACC1'))
    await mirror.onPublished(publication('fyers'))
    await mirror.onWithdrawn(parseAccountId('upstox/ACC1'))
    expect(text()).toBe(`# mine\nA=1\nFYERS_ACCESS_TOKEN='${FYERS}'\n`)
  })

  test('is not made by a withdrawal', async () => {
    await dotenv().onWithdrawn(parseAccountId('fyers'))
    expect(readdirSync(folder)).toEqual([])
  })

  test('is not for accounts it does not name', async () => {
    await dotenv('upstox/ACC1').onPublished(publication('fyers'))
    await dotenv('upstox/ACC1').onStillCurrent?.(publication('fyers'))
    expect(existsSync(path)).toBe(false)
    writeFileSync(path, 'FYERS_ACCESS_TOKEN=theirs\n')
    await dotenv('upstox/ACC1').onWithdrawn(parseAccountId('fyers'))
    expect(text()).toBe('FYERS_ACCESS_TOKEN=theirs\n')
  })

  test('gets back what it lost of a fresh token, and is not touched where nothing is lost', async () => {
    const mirror = dotenv()
    await mirror.onPublished(publication('fyers'))
    const { ino } = statSync(path)
    await mirror.onStillCurrent?.(publication('fyers'))
    expect(statSync(path).ino).toBe(ino)
    writeFileSync(path, 'A=1\n')
    await mirror.onStillCurrent?.(publication('fyers'))
    expect(text()).toBe(`A=1\nFYERS_ACCESS_TOKEN='${FYERS}'\n`)
  })

  test('that others could read is closed to them', async () => {
    await dotenv().onPublished(publication('fyers'))
    chmodSync(path, 0o644)
    await dotenv().onStillCurrent?.(publication('fyers'))
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  test('cannot hold two accounts under one name', () => {
    expect(() => dotenv('upstox/A-1', 'upstox/a.1')).toThrow(ConfigurationError)
    expect(() => dotenv('upstox', 'upstox/A')).not.toThrow()
  })

  test('holds all of many accounts that are written at once', async () => {
    const ids = Array.from({ length: 50 }, (_, index) => `iifl/SIM${index}`)
    const mirror = dotenv()
    await Promise.all(ids.map((id) => mirror.onPublished(publication(id))))
    expect(Object.keys(parse(text()))).toHaveLength(50)
  })

  test('is whole at every moment for whoever reads it meanwhile, also from another process', async () => {
    const reader = fork(new URL('./support/reader.ts', import.meta.url), [path], { stdio: 'inherit' })
    await once(reader, 'message')
    const mirror = dotenv()
    let enough = false
    void once(reader, 'message').then(() => {
      enough = true
    })
    for (let generation = 1; generation <= 200 || !enough; generation += 1) {
      await mirror.onPublished(publication('fyers', generation))
      await mirror.onPublished(publication('upstox/ACC1', generation))
      // The writes leave the reader's word no turn.
      await new Promise((resolve) => setImmediate(resolve))
    }
    reader.send('stop')
    const [{ torn }] = await once(reader, 'message')
    expect(torn).toBe(0)
  })
})

describe('a token file', () => {
  const token = (): Subscriber =>
    fileMirror({ path, format: 'token', accounts: [parseAccountId('upstox/ACC1')] })

  test('holds the token and no more', async () => {
    writeFileSync(path, 'old')
    await token().onPublished(publication('upstox/ACC1'))
    expect(text()).toBe(`${ACC1}\n`)
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  test('is gone when the account is withdrawn, and there again when it is resumed', async () => {
    await token().onPublished(publication('upstox/ACC1'))
    await token().onWithdrawn(parseAccountId('upstox/ACC1'))
    expect(readdirSync(folder)).toEqual([])
    await token().onStillCurrent?.(publication('upstox/ACC1'))
    expect(text()).toBe(`${ACC1}\n`)
  })
})

describe('what a writer that was killed has left', () => {
  const leftovers = () => readdirSync(folder).filter((name) => name !== '.env')

  test.each([
    ['a new token', () => dotenv().onPublished(publication('fyers'))],
    ['a run that finds all as it was', () => dotenv().onStillCurrent?.(publication('fyers'))],
    ['a withdrawal', () => dotenv().onWithdrawn(parseAccountId('fyers'))],
  ])('goes with %s, and nothing else does', async (_, work) => {
    await dotenv().onPublished(publication('fyers'))
    writeFileSync(join(folder, '.env.local'), 'mine')
    writeFileSync(join(folder, '..env.0123456789ab'), 'FYERS_ACCESS_TOKEN=left')
    writeFileSync(join(folder, '..env.0123456789ab.bak'), 'mine')
    writeFileSync(join(folder, '.env.0123456789ab'), 'of another file: .env is not env')
    await work()
    expect(leftovers().toSorted()).toEqual(['..env.0123456789ab.bak', '.env.0123456789ab', '.env.local'])
  })

  test('is not taken for that by another process while it is being written', async () => {
    const sweeper = fork(new URL('./support/sweeper.ts', import.meta.url), [path])
    try {
      await once(sweeper, 'message')
      const mirror = dotenv()
      for (let generation = 1; generation <= 200; generation += 1) {
        await mirror.onPublished(publication('fyers', generation))
        expect(text()).toContain(tokenOf('fyers', generation).reveal())
      }
      expect(leftovers()).toEqual([])
    } finally {
      sweeper.kill()
      await once(sweeper, 'exit')
    }
  })
})

describe('what is at the path', () => {
  test('may be a link: what it points to is replaced, and the link stays', async () => {
    mkdirSync(join(folder, 'app'))
    const target = join(folder, 'app/.env')
    writeFileSync(target, 'A=1\n')
    symlinkSync('app/.env', path)
    await dotenv().onPublished(publication('fyers'))
    expect(readlinkSync(path)).toBe('app/.env')
    expect(readFileSync(target, 'utf8')).toBe(`A=1\nFYERS_ACCESS_TOKEN='${FYERS}'\n`)
    expect(readdirSync(join(folder, 'app'))).toEqual(['.env'])
  })

  test('may be a link to a file that is not there yet', async () => {
    const target = join(folder, 'token')
    symlinkSync(target, path)
    await dotenv().onPublished(publication('fyers'))
    expect(readFileSync(target, 'utf8')).toContain(FYERS)
    expect(readlinkSync(path)).toBe(target)
  })

  test('is left alone when it is a folder', async () => {
    mkdirSync(path)
    const error = await failure(dotenv().onPublished(publication('fyers')))
    expect(error.message).toContain('is no file')
  })

  test('is reported when its folder is missing', async () => {
    path = join(folder, 'nowhere/.env')
    const error = await failure(dotenv().onPublished(publication('fyers')))
    expect(error.message).toContain(path)
    expect(error.fix).toContain(`make the folder ${join(folder, 'nowhere')}`)
  })

  test('is reported when what should be its folder is a file', async () => {
    writeFileSync(path, '')
    path = join(path, 'token')
    const error = await failure(dotenv().onPublished(publication('fyers')))
    expect(error.message).toContain(`${path} cannot be written`)
    expect(error.fix).toContain('mirrors.files')
  })
})

async function failure(work: Promise<void>): Promise<SubscriberError> {
  const error = await thrownBy(work, SubscriberError)
  expect(error.message + error.fix).not.toContain(FYERS)
  return error
}
