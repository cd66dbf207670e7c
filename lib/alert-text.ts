import type { Alert } from './ports/notifier.ts'
import { maskSecrets } from './tokens/secret.ts'

const URGENCY: Readonly<Record<Alert['severity'], string>> = {
  page: 'act now',
  action: 'act before the market opens',
  info: 'for your information',
}

/** An alert as plain text that reads well on a phone: what, why, what to do, and last what machines sort by. */
export function alertText(alert: Alert): string {
  return [
    line(alert.title),
    '',
    `Why: ${line(alert.reason)}`,
    `What to do: ${line(alert.action)}`,
    '',
    `Account: ${line(alert.account)}${alert.accountName === alert.account ? '' : ` (${line(alert.accountName)})`}`,
    `Urgency: ${URGENCY[alert.severity]}`,
    `Incident: ${line(alert.incident)}`,
    '',
  ].join('\n')
}

/**
 * The text on one line: names come from brokers and people, and a line break or an escape sequence in one must
 * not shape the message. The mask is the second net behind alerts that hold no secret by construction.
 */
export function line(text: string): string {
  return maskSecrets(text)
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim()
}
