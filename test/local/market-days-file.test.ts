import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { marketDaysFile } from '../../lib/local/market-days-file.ts'
import { marketDaysContract } from '../contracts/market-days-contract.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tokenkeeper-days-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

marketDaysContract(() => marketDaysFile(join(folder, 'home', 'market-days.json')))

test('one that was written by hand needs no revision', async () => {
  const path = join(folder, 'market-days.json')
  writeFileSync(path, '{"closed":[{"market":"in-equity","date":"2027-01-15"}]}')
  const stored = await marketDaysFile(path).read()
  expect(stored).toEqual({ days: { closed: [{ market: 'in-equity', date: '2027-01-15' }] }, revision: 1 })
})

test('one that is no JSON is told with the file and what to do', async () => {
  const path = join(folder, 'market-days.json')
  writeFileSync(path, '{"closed":')
  await expect(marketDaysFile(path).read()).rejects.toMatchObject({
    name: 'StateStoreError',
    message: `${path}, what is said of trading days, could not be read: it is no JSON`,
    fix: expect.stringContaining('remove it'),
  })
})
