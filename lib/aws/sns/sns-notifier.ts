import type { SNSClient } from '@aws-sdk/client-sns'
import { alertJson } from '../../channels/alert-json.ts'
import { alertText, line } from '../../channels/alert-text.ts'
import { type Announcer, isAlert, type Message } from '../../channels/notice.ts'
import { BARE, type CommandWords } from '../../model/command-words.ts'
import { NotificationError } from '../../model/errors.ts'
import type { Notifier } from '../../ports/notifier.ts'
import { snsPublisher } from './sns-publish.ts'

/**
 * SNS takes "less than 100" characters without control characters for a mail's subject. These had to be ASCII
 * until lately, and telephones and ticket systems still show only ASCII correctly.
 */
const LONGEST_SUBJECT = 99
const ELLIPSIS = '...'

/**
 * Protocols of subscriptions that machines read, by their names in MessageStructure "json" (SNS API,
 * Publish). A protocol that is listed neither here nor below, such as push messages, gets the default.
 */
const MACHINES = ['sqs', 'lambda', 'http', 'https', 'email-json', 'firehose'] as const

export interface SnsNotifierOptions {
  readonly topicArn: string
  /** @default - a client made when the first alert is sent */
  readonly client?: () => Promise<SNSClient>
  /** How the readers of the messages call our command. @default - by its bare name */
  readonly words?: CommandWords
}

/**
 * The notifier on SNS. One publication holds all forms: text for mail, one line for SMS, and the JSON of
 * lib/channels/alert-json.ts for machines. Filter policies find the broker, account, kind and severity as
 * message attributes; a notice has only the last two.
 */
export function snsNotifier(options: SnsNotifierOptions): Notifier & Announcer {
  const send = snsPublisher({
    ...options,
    whenGone: 'deploy the stack again: the topic of the alerts is gone',
    failure: ({ message, fix, cause }) => new NotificationError(message, { fix, cause }),
  })
  const publish = async (message: Message): Promise<void> => {
    await send({
      Subject: subjectOf(message),
      MessageStructure: 'json',
      Message: JSON.stringify(formsOf(message, options.words ?? BARE)),
      attributes: attributesOf(message),
    })
  }
  return { notify: publish, announce: publish }
}

/** What each kind of subscription gets. The values of MessageStructure "json" are strings. */
function formsOf(message: Message, words: CommandWords): Readonly<Record<string, string>> {
  const text = alertText(message, words)
  const json = JSON.stringify(alertJson(message, words))
  return {
    default: text,
    email: text,
    sms: subjectOf(message),
    ...Object.fromEntries(MACHINES.map((protocol) => [protocol, json])),
  }
}

/**
 * The title in the characters that a subject may have. Where an account's nickname cannot be written in them,
 * its id is used.
 */
export function subjectOf(message: Message): string {
  const { title } = message
  const unreadable = isAlert(message) && ascii(message.accountName).includes('?')
  return shortened(ascii(line(unreadable ? title.replaceAll(message.accountName, message.account) : title)))
}

/** Drops accents, replaces typographic signs by plain ones, and everything else by a question mark. */
function ascii(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replace(/\p{Pd}/gu, '-')
    .replace(/[‘’‚]/g, "'")
    .replace(/[“”„]/g, '"')
    .replace(/[^\x20-\x7e]+/g, '?')
}

/** Shortens a text to the longest subject, between words where that loses less than half of it. */
function shortened(text: string): string {
  if (text.length <= LONGEST_SUBJECT) return text
  const room = LONGEST_SUBJECT - ELLIPSIS.length
  const lastSpace = text.lastIndexOf(' ', room)
  return text.slice(0, lastSpace > room / 2 ? lastSpace : room) + ELLIPSIS
}

function attributesOf(message: Message): Readonly<Record<string, string>> {
  const { broker, kind, severity } = message
  return {
    ...(broker !== undefined && { broker }),
    ...(isAlert(message) && { account: message.account }),
    kind,
    severity,
  }
}
