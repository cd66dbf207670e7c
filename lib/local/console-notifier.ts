import { alertText } from '../channels/alert-text.ts'
import type { Announcer, Message } from '../channels/notice.ts'
import { NotificationError } from '../model/errors.ts'
import type { Notifier } from '../ports/notifier.ts'

const RULE = '-'.repeat(72)

/**
 * The notifier for a terminal or a log file: each alert is a block between two rules. Throws
 * NotificationError.
 */
export function consoleNotifier(write: (text: string) => void): Notifier & Announcer {
  const show = async (message: Message): Promise<void> => {
    try {
      write(`${RULE}\n${alertText(message)}${RULE}\n`)
    } catch (cause) {
      throw new NotificationError('the alert could not be printed', {
        cause,
        fix: 'check that the output of this process still goes somewhere',
      })
    }
  }
  return { notify: show, announce: show }
}
