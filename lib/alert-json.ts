import { line } from './alert-text.ts'
import { isAlert, type Message } from './notice.ts'
import type { Alert } from './ports/notifier.ts'

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
  /** Absent, as are the three after it, in a notice about the installation itself. */
  readonly broker?: string
  readonly account?: string
  readonly accountName?: string
  /** The same for every message of one incident, its end (`solved`) included. */
  readonly incident?: string
  /** For people, on the clocks of the account's market: `Mon 23 Nov 09:15 IST`. */
  readonly deadline?: string
  readonly link?: string
}

/** A message in that form. Texts pass the same net as those for people. */
export function alertJson(message: Message): AlertJson {
  const { kind, severity, title, reason, action } = message
  return {
    version: 1,
    kind,
    severity,
    title: line(title),
    reason: line(reason),
    action: line(action),
    ...(isAlert(message) && partsOfAlert(message)),
  }
}

function partsOfAlert({ broker, account, accountName, incident, deadline, link }: Alert) {
  return {
    broker: line(broker),
    account: line(account),
    accountName: line(accountName),
    incident: line(incident),
    ...(deadline !== undefined && { deadline: line(deadline) }),
    ...(link !== undefined && { link: line(link) }),
  }
}
