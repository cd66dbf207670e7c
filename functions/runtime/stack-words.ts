import { type CommandWords, stackCommand } from '../../lib/model/command-words.ts'

/** How whoever reads a message, a page or a log of this stack calls our command for it. */
export function stackWords(): CommandWords {
  return { call: process.env['TOKENKEEPER_COMMAND'] || stackCommand('local') }
}
