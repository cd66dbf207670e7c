import { describe, expect, test } from 'vitest'
import { snsNotifier, subjectOf } from '../../lib/aws/sns/sns-notifier.ts'
import { useEnvironment } from '../aws/support/emulator.ts'
import { ALERT } from '../contracts/notifier-contract.ts'
import { freePort } from '../support/free-port.ts'

describe('the subject of a mail', () => {
  const subject = (title: string, accountName = 'Papa') => subjectOf({ ...ALERT, title, accountName })

  test('is the title, when SNS takes it as it is', () => {
    expect(subject('Log in before 09:15: FYERS Papa')).toBe('Log in before 09:15: FYERS Papa')
  })

  test.each([
    ['line breaks and tabs', 'Log in:\r\n\tFYERS Papa\n', 'Log in: FYERS Papa'],
    ['accents', 'Log in: Pâpä’s “main” – Größe', `Log in: Papa's "main" - Gro?e`],
    ['pictures', 'Log in 📈 now', 'Log in ? now'],
  ])('is plain ASCII on one line: %s', (_, title, expected) => {
    expect(subject(title)).toBe(expected)
  })

  test('calls an account that is named in another script by its id', () => {
    expect(subject('Log in: FYERS पापा', 'पापा')).toBe('Log in: FYERS fyers/papa')
  })

  test('is cut between words when it is long, and anywhere when it is one long word', () => {
    const words = subject(`Log in: ${'account '.repeat(30)}`)
    expect(words).toMatch(/^Log in: (account )+account\.\.\.$/)
    expect(words.length).toBeLessThan(100)
    expect(subject('x'.repeat(500))).toBe(`${'x'.repeat(96)}...`)
    expect(subject('x'.repeat(99))).toHaveLength(99)
  })
})

test('an unreachable SNS fails within seconds, and says what to check', async () => {
  const restore = useEnvironment(`http://127.0.0.1:${await freePort()}`)
  const notifier = snsNotifier({ topicArn: 'arn:aws:sns:us-east-1:123456789012:Tokenkeeper-alerts' })
  await expect(notifier.notify(ALERT)).rejects.toMatchObject({
    name: 'NotificationError',
    message: expect.stringContaining('ECONNREFUSED'),
  })
  restore()
})
