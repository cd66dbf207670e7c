import type { Context } from 'aws-lambda'
import { vi } from 'vitest'

/** What a handler gets from Lambda, with `seconds` left to run. */
export function lambdaContext(seconds = 600): Context {
  const context: Partial<Context> = {
    awsRequestId: '00000000-0000-4000-8000-000000000001',
    functionName: 'Tokenkeeper-fyers',
    functionVersion: '$LATEST',
    invokedFunctionArn: 'arn:aws:lambda:ap-south-1:111122223333:function:Tokenkeeper-fyers',
    memoryLimitInMB: '256',
    getRemainingTimeInMillis: () => seconds * 1000,
  }
  return context as Context
}

/** Everything this process prints until the end of the test: what would be in the function's log group. */
export function captureOutput(): { text(): string; lines(): readonly Record<string, unknown>[] } {
  let printed = ''
  const keep = (chunk: string | Uint8Array): boolean => {
    printed += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString()
    return true
  }
  vi.spyOn(process.stdout, 'write').mockImplementation(keep)
  vi.spyOn(process.stderr, 'write').mockImplementation(keep)
  return {
    text: () => printed,
    lines: () =>
      printed
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as Record<string, unknown>),
  }
}
