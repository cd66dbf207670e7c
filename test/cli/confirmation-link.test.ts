import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { readConfirmationLink } from '../../lib/cli/alerts/confirmation-link.ts'

const TOKEN = '2336412f37fb687f5d51e6e241d09c8057edc37aa0d57bdd68bc66351f89e560'
const TOPIC = 'arn:aws:sns:ap-south-1:111122223333:Tokenkeeper-alerts'
const HOST = 'https://sns.ap-south-1.amazonaws.com'
const QUERY = `TopicArn=${TOPIC}&Token=${TOKEN}`
const MAIL = `${HOST}/confirmation.html?${QUERY}&Endpoint=asha@example.invalid`

describe('a link is taken', () => {
  test.each([
    ['as a mail has it', MAIL],
    ['as a web hook gets it', `${HOST}/?Action=ConfirmSubscription&${QUERY}`],
    ['copied from the source of a page', MAIL.replaceAll('&', '&amp;')],
    [
      'with everything encoded',
      `${HOST}/confirmation.html?${new URLSearchParams({ TopicArn: TOPIC, Token: TOKEN })}`,
    ],
    ['with a line end', `${MAIL}\n`],
  ])('%s', (_, link) => {
    const { topicArn, token } = readConfirmationLink(link)
    expect([topicArn, token.reveal()]).toEqual([TOPIC, TOKEN])
  })

  test('from AWS in China', () => {
    const topic = 'arn:aws-cn:sns:cn-north-1:111122223333:Tokenkeeper-alerts'
    const link = `https://sns.cn-north-1.amazonaws.com.cn/confirmation.html?TopicArn=${topic}&Token=${TOKEN}`
    expect(readConfirmationLink(link).topicArn).toBe(topic)
  })

  test('from an SNS on this machine, by any of its names, where one is configured', () => {
    const link = `http://localhost:4566/?Action=ConfirmSubscription&${QUERY}`
    expect(readConfirmationLink(link, 'http://127.0.0.1:4566').topicArn).toBe(TOPIC)
    expect(() => readConfirmationLink(link)).toThrow('does not lead to SNS')
    expect(() => readConfirmationLink(link, 'http://127.0.0.1:4567')).toThrow('does not lead to SNS')
    expect(() =>
      readConfirmationLink(MAIL.replace(HOST, 'https://sns.example.com'), 'https://sns.example.com'),
    ).toThrow('does not lead to SNS')
  })
})

describe('a link is refused, and not repeated,', () => {
  test.each([
    ['nothing', '', 'this is no link'],
    ['no link', TOKEN, 'this is no link'],
    ['another host', MAIL.replace('amazonaws.com', 'amazonaws.com.example.invalid'), 'does not lead to SNS'],
    ['a host that ends like it', MAIL.replace('sns.', 'evil-sns.'), 'does not lead to SNS'],
    ['another service of AWS', MAIL.replace('sns.', 's3.'), 'does not lead to SNS'],
    ['plain http', MAIL.replace('https:', 'http:'), 'does not lead to SNS'],
    ['another port', MAIL.replace('.com/', '.com:8443/'), 'does not lead to SNS'],
    ['a user in front of another host', MAIL.replace('https://', 'https://user@'), 'does not lead to SNS'],
    ['an unsubscribe link', `${HOST}/?Action=Unsubscribe&${QUERY}`, 'confirms no subscription'],
    ['what a shell leaves without quotes', MAIL.replace(/&.*/, ''), 'confirms no subscription'],
    ['two tokens', `${MAIL}&Token=0123456789abcdef`, 'confirms no subscription'],
    ['something else than a topic', MAIL.replace(':sns:', ':sqs:'), 'confirms no subscription'],
    ['a token that cannot be one', MAIL.replace(TOKEN, '%3Cscript%3E'), 'confirms no subscription'],
  ])('when it is %s', (_, link, says) => {
    const read = () => readConfirmationLink(link)
    expect(read).toThrow(says)
    try {
      read()
    } catch (error) {
      expect(inspect(error)).not.toContain(TOKEN)
    }
  })
})
