import type { Alert } from '../ports/notifier.ts'

/**
 * What is told about the installation itself: about no account, and of no incident. The domain knows nothing of it, so
 * it is no `Alert`; it goes the same way to the same people.
 */
export interface Notice {
  readonly kind: 'operator_action' | 'solved' | 'test'
  readonly severity: Alert['severity']
  /** The one broker it is about. @default - it is about all of them, or about none */
  readonly broker?: string
  /** One line for a mail subject. */
  readonly title: string
  /** What happened, in one sentence. */
  readonly reason: string
  /** What to do, as a command or a sentence. */
  readonly action: string
}

/** Everything people are told. */
export type Message = Alert | Notice

/** What tells people of the installation itself. */
export interface Announcer {
  /** Delivers the notice to whoever is subscribed. Throws NotificationError. */
  announce(notice: Notice): Promise<void>
}

export function isAlert(message: Message): message is Alert {
  return 'account' in message
}
