import fs, { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { Reply } from '../../lib/client/calls/reply.ts'
import { downloadPdf } from '../../lib/client/pos/pdf-download.ts'

/** A disk that takes its time to open a file: a hundred turns of whatever else there is to do. */
function slowToOpen(): void {
  const { open } = fs
  const late = (...args: unknown[]): void => {
    void (async () => {
      for (let turn = 0; turn < 100; turn++) await setImmediate()
      Reflect.apply(open, fs, args)
    })()
  }
  const spy = vi.spyOn(fs, 'open').mockImplementation(late)
  onTestFinished(() => spy.mockRestore())
}

test('a download that breaks off before its file is open leaves none behind', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tokenkeeper-pdf-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  slowToOpen()
  const reply = {
    headers: new Headers({ 'content-type': 'application/pdf' }),
    stream: () => new Readable({ read() {} }).destroy(new Error('cut off')),
  } as unknown as Reply
  await expect(downloadPdf(reply, join(folder, 'invoice.pdf'), 1_000_000, undefined)).rejects.toMatchObject({
    code: 'pdf_incomplete',
  })
  expect(fs.open).toHaveBeenCalledOnce()
  // Later than any file that is still to come.
  for (let turn = 0; turn < 300; turn++) await setImmediate()
  expect(readdirSync(folder)).toEqual([])
})
