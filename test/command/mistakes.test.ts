import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CommandLine } from './command.ts'

let line: CommandLine

beforeAll(async () => {
  line = await CommandLine.start()
  await line.run(['setup', 'upstox/DEMO1'])
})
afterAll(() => line.close())

describe('a slip of the pen', () => {
  test('an option no broker looks at is refused with those there are', async () => {
    const done = await line.run(['setup', 'upstox/DEMO1', '--option', 'upstreamAcount=X'])
    expect(done).toMatchObject({ code: 2, stderr: expect.stringContaining('use upstreamAccountId (') })
  })

  test('a text that is no token is the person’s to correct, not the broker’s', async () => {
    const done = await line.run(['put', 'upstox/DEMO1', 'access_token'], { stdin: 'two words' })
    expect(done).toMatchObject({ code: 2, stderr: expect.stringContaining('copy it again') })
  })
})

test('a lost key is said to be lost, and no new one is made beside a full vault', async () => {
  await line.run(['put', 'upstox/DEMO1', 'client_id'], { stdin: 'sim-client' })
  rmSync(join(line.home, 'vault.key'))
  const done = await line.run(['status'])
  expect(done).toMatchObject({ code: 5, stderr: expect.stringContaining('restore it from your backup') })
  expect(await line.run(['status'])).toMatchObject({ code: 5 })
})
