import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { run } from '../../lib/cli/run-command.ts'
import { StateStoreError } from '../../lib/model/errors.ts'

let said = ''

beforeEach(() => {
  said = ''
  const taken = (text: unknown): boolean => {
    said += String(text)
    return true
  }
  for (const stream of [process.stdout, process.stderr]) vi.spyOn(stream, 'write').mockImplementation(taken)
})
afterEach(() => {
  vi.restoreAllMocks()
  process.exitCode = undefined
})

/** What a command that was called with these words says when this fix is thrown in it. */
async function advised(words: readonly string[]): Promise<string> {
  const fix = 'wait, or try at once: tokenkeeper refresh {account}'
  const failing = run(() => Promise.reject(new StateStoreError('the store is away', { fix })))
  await failing({ args: words, optsWithGlobals: () => ({ json: true }) })
  return JSON.parse(said).error.fix
}

test('a command is advised with the account it was called for', async () => {
  expect(await advised(['fyers/BINA'])).toMatch(/ refresh fyers\/BINA$/)
})

test.each([[[]], [['not an account!']]])(
  'with %j nothing is left in braces or angle brackets',
  async (words) => {
    const fix = await advised(words)
    expect(fix).not.toMatch(/[{}<>]/)
    expect(fix).toMatch(/ refresh ACCOUNT, with the account’s id for ACCOUNT$/)
  },
)
