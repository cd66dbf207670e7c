import { afterEach, expect, test, vi } from 'vitest'
import { presentable } from '../../functions/runtime/refresh/presentable.ts'
import { maskingLogger } from '../../functions/runtime/telemetry.ts'
import { ConfigurationError } from '../../lib/model/errors.ts'
import { captureOutput } from './lambda.ts'

afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
})

test('what a function ends with names the command as it runs where the stack was deployed from', () => {
  const error = new ConfigurationError('the pin is missing', { fix: 'run tokenkeeper setup fyers' })
  expect(presentable(error).message).toBe(
    'the pin is missing. To mend it: run npx tokenkeeper --backend aws setup fyers',
  )
  vi.stubEnv('TOKENKEEPER_COMMAND', 'npx tokenkeeper')
  expect(presentable(error).message).toMatch(/run npx tokenkeeper setup fyers$/)
})

test('so does the log', () => {
  const output = captureOutput()
  maskingLogger('fyers').warn('not stored', { nextAction: 'run tokenkeeper setup fyers' })
  expect(output.lines()).toMatchObject([{ nextAction: 'run npx tokenkeeper --backend aws setup fyers' }])
})
