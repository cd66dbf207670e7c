import { BARE, type CommandWords, worded } from '../model/command-words.ts'
import { maskSecrets } from '../model/secrets/secret.ts'
import { localInstant } from '../model/time/local-time.ts'
import type { Alert } from '../ports/notifier.ts'
import { isAlert, type Message } from './notice.ts'

/** Mail programs leave lines up to here as they are, also when they quote them once. */
const LONGEST_LINE = 76
/** In place of the blanks of a command: broken over two lines it would be no command any more. */
const UNBROKEN = '\ue000'
/** Where a line goes on, so that no name can be written that begins a line of its own in the message. */
const CONTINUED = '  '

const URGENCY: Readonly<Record<Alert['severity'], string>> = {
  page: 'act now',
  action: 'act before the market opens',
  info: 'for your information',
}
/** A notice knows no market. */
const URGENCY_OF_NOTICE: typeof URGENCY = { ...URGENCY, action: 'act today' }

/**
 * A message as plain text for mail, to be read on a phone: what happened and by when, the one link on a line of its own,
 * so that it can be tapped, what to do otherwise, and last what machines sort by. Lines end before column 77 wherever
 * there is a space to end them at; an address or a command is never broken.
 */
export function alertText(message: Message, words: CommandWords = BARE): string {
  const { title, reason, action } = message
  const about: Partial<Alert> = isAlert(message) ? message : {}
  const { deadline, link } = about
  const wrapped = (text: string): string => broken(worded(line(text), words, unbroken))
  return [
    wrapped(title),
    '',
    wrapped(`What happened: ${reason}`),
    ...(deadline === undefined
      ? []
      : [`By when: ${localInstant(deadline.toInstant(), deadline.timeZoneId)}`]),
    ...(link === undefined ? [] : ['', `Open: ${line(link)}`, '']),
    wrapped(`What to do${link === undefined ? '' : ' otherwise'}: ${action}`),
    '',
    ...sortedBy(message).map(wrapped),
    '',
  ].join('\n')
}

function sortedBy(message: Message): readonly string[] {
  if (!isAlert(message)) {
    const { broker, severity } = message
    return [...(broker === undefined ? [] : [`Broker: ${broker}`]), `Urgency: ${URGENCY_OF_NOTICE[severity]}`]
  }
  const { account, accountName, severity, incident } = message
  return [
    `Account: ${account}${accountName === account ? '' : ` (${accountName})`}`,
    `Urgency: ${URGENCY[severity]}`,
    `Incident: ${incident}`,
  ]
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

function unbroken(command: string): string {
  return command.replaceAll(' ', UNBROKEN)
}

/** One line as several short ones, broken at spaces only. */
function broken(text: string): string {
  const lines: string[] = []
  let current = ''
  for (const word of text.split(/ +/)) {
    const longer = current === '' ? word : `${current} ${word}`
    if (current === '' || [...longer].length <= LONGEST_LINE) {
      current = longer
    } else {
      lines.push(current)
      current = CONTINUED + word
    }
  }
  return [...lines, current].join('\n').replaceAll(UNBROKEN, ' ')
}
