import { BARE, type CommandWords, worded } from '../model/command-words.ts'
import type { Alert } from '../ports/notifier.ts'
import { line } from './alert-text.ts'
import { isAlert, type Message } from './notice.ts'

/**
 * What machines are told: queues, functions, web hooks. Within version 1 fields are only ever added. When it was sent
 * stands on the envelope it comes in.
 */
export interface AlertJson {
  readonly version: 1
  readonly kind: Message['kind']
  readonly severity: Message['severity']
  readonly title: string
  readonly reason: string
  readonly action: string
  /** Absent in a notice about the installation itself, unless it is about one broker. */
  readonly broker?: string
  /** Absent, as are the two after it, in every notice about the installation itself. */
  readonly account?: string
  readonly accountName?: string
  /** The same for every message of one incident, its end (`solved`) included. */
  readonly incident?: string
  /** ISO 8601 with the offset of the account's market: `2026-11-23T09:15:00+05:30`. */
  readonly deadline?: string
  readonly link?: string
}

/** A message in that form. Texts pass the same net as those for people, and name commands as they do. */
export function alertJson(message: Message, words: CommandWords = BARE): AlertJson {
  const { kind, severity, title, reason, action } = message
  return {
    version: 1,
    kind,
    severity,
    title: line(title),
    reason: worded(line(reason), words),
    action: worded(line(action), words),
    ...(message.broker !== undefined && { broker: line(message.broker) }),
    ...(isAlert(message) && partsOfAlert(message)),
  }
}

function partsOfAlert({ account, accountName, incident, deadline, link }: Alert) {
  return {
    account: line(account),
    accountName: line(accountName),
    incident: line(incident),
    ...(deadline !== undefined && {
      deadline: deadline.toString({ timeZoneName: 'never', smallestUnit: 'second' }),
    }),
    ...(link !== undefined && { link: line(link) }),
  }
}
