import { worded } from '../../../lib/model/command-words.ts'
import { TokenkeeperError } from '../../../lib/model/errors.ts'
import { maskSecrets } from '../../../lib/model/secrets/secret.ts'
import { stackWords } from '../stack-words.ts'

/**
 * An error that the Lambda runtime may log and reply with. The fix is part of the message, since the runtime
 * shows nothing else. An unforeseen error is masked, and loses its cause and fields, which can contain
 * anything.
 */
export function presentable(error: unknown): Error {
  const message =
    error instanceof TokenkeeperError ? withFix(error) : String((error as Error | undefined)?.message)
  const shown = new Error(worded(maskSecrets(message), stackWords()))
  if (error instanceof Error) {
    shown.name = error.name
    const frames = error.stack?.split('\n').filter((line) => /^\s+at /.test(line)) ?? []
    shown.stack = [`${shown.name}: ${shown.message}`, ...frames].join('\n')
  }
  return shown
}

function withFix({ message, fix }: TokenkeeperError): string {
  return fix === '' ? message : `${message}. To mend it: ${fix}`
}
