import { type CommandWords, stackCommand } from '../../lib/model/command-words.ts'

/** How readers of a message, a page or a log of this stack call our command. */
export function stackWords(): CommandWords {
  return { call: process.env['TOKENKEEPER_COMMAND'] || stackCommand('local') }
}
