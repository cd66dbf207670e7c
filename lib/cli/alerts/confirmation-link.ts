import { isLoopback } from '../../http/allowed-origin.ts'
import { Secret } from '../../model/secrets/secret.ts'
import { UsageError } from '../terminal/usage-error.ts'

/** What a subscription is confirmed with. */
export interface Confirmation {
  readonly topicArn: string
  /** Works once, for two days. */
  readonly token: Secret
}

const SNS_HOST = /^sns\.[a-z0-9-]+\.amazonaws\.com(\.cn)?$/
const TOPIC_ARN = /^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$/
const TOKEN = /^[A-Za-z0-9_-]{8,1024}$/

/**
 * Reads the link of a confirmation mail, in either of its forms: `https://sns.<region>.amazonaws.com/confirmation.html?
 * TopicArn=…&Token=…&Endpoint=…`, or `/?Action=ConfirmSubscription&TopicArn=…&Token=…` as web hooks get it. `endpoint` is
 * where SNS is emulated on this machine. Throws UsageError, which repeats nothing of the link.
 */
export function readConfirmationLink(text: string, endpoint?: string): Confirmation {
  const link = text.trim().replaceAll('&amp;', '&')
  if (!URL.canParse(link)) {
    throw new UsageError('this is no link', 'paste the link of the confirmation mail, https:// and all')
  }
  const url = new URL(link)
  if (!isFromSns(url, endpoint)) {
    throw new UsageError(
      'this link does not lead to SNS',
      'copy the link from the mail AWS sent; a mail program that rewrites links shows the original in the source of the mail',
    )
  }
  const topicArn = only(url, 'TopicArn')
  const token = only(url, 'Token')
  const isConfirmation =
    url.pathname === '/confirmation.html' || only(url, 'Action') === 'ConfirmSubscription'
  if (!isConfirmation || !TOPIC_ARN.test(topicArn) || !TOKEN.test(token)) {
    throw new UsageError(
      'this link confirms no subscription, or a part of it is missing',
      'put the whole link in quotes, since a shell cuts it at the first &, or run tokenkeeper alerts confirm, and paste it when asked',
    )
  }
  return { topicArn, token: new Secret(token) }
}

function isFromSns(url: URL, endpoint: string | undefined): boolean {
  if (url.username !== '' || url.password !== '') return false
  if (url.protocol === 'https:' && url.port === '' && SNS_HOST.test(url.hostname)) return true
  if (endpoint === undefined || !URL.canParse(endpoint)) return false
  // An emulator calls itself by another of this machine's names than we do.
  const { hostname, port, protocol } = new URL(endpoint)
  return [hostname, url.hostname].every(isLoopback) && url.port === port && url.protocol === protocol
}

/** A parameter's value where it stands there once; two of one name are read differently by different programs. */
function only(url: URL, name: string): string {
  const values = url.searchParams.getAll(name)
  return values.length === 1 ? String(values[0]) : ''
}
