import { beforeEach, describe, expect, test } from 'vitest'
import { parseAccountId } from '../../lib/model/account-id.ts'
import { Secret } from '../../lib/model/secrets/secret.ts'
import type { Alert, Notifier } from '../../lib/ports/notifier.ts'

/** A notifier and the texts people got from it so far, oldest first. */
export interface NotifierUnderTest {
  readonly notifier: Notifier
  readonly delivered: () => readonly string[]
}

export const ALERT: Alert = {
  kind: 'login_needed',
  severity: 'action',
  account: parseAccountId('fyers/papa'),
  broker: 'fyers',
  accountName: 'Papa',
  incident: 'fyers/papa@2026-11-23T01:30:00Z',
  title: 'Log in: FYERS Papa',
  reason: 'FYERS refused the refresh token',
  action: 'log in before 09:15: tokenkeeper login fyers/papa',
}

/** What every notifier promises. `open` gives one nobody has used. */
export function notifierContract(adapter: string, open: () => Promise<NotifierUnderTest>): void {
  describe(`${adapter} keeps the promises of a notifier`, () => {
    let subject: NotifierUnderTest

    beforeEach(async () => {
      subject = await open()
    })

    test('one alert is one message, in the order they were given', async () => {
      await subject.notifier.notify(ALERT)
      await subject.notifier.notify({ ...ALERT, kind: 'solved', severity: 'info', title: 'Solved: Papa' })
      const texts = subject.delivered()
      expect(texts).toHaveLength(2)
      expect(texts[0]).toContain('Log in: FYERS Papa')
      expect(texts[1]).toContain('Solved: Papa')
    })

    test('the message says what happened, why, what to do, which account and which incident', async () => {
      await subject.notifier.notify(ALERT)
      const [text] = subject.delivered()
      for (const part of [ALERT.title, ALERT.reason, ALERT.action, 'fyers/papa (Papa)', ALERT.incident]) {
        expect(text).toContain(part)
      }
    })

    test('text in other scripts arrives as it is', async () => {
      await subject.notifier.notify({ ...ALERT, accountName: 'पापा', reason: 'Öffnung – “09:15” 📈' })
      expect(subject.delivered()[0]).toContain('fyers/papa (पापा)')
      expect(subject.delivered()[0]).toContain('Öffnung – “09:15” 📈')
    })

    test('a line break or an escape sequence in a name cannot shape the message', async () => {
      await subject.notifier.notify(ALERT)
      await subject.notifier.notify({ ...ALERT, accountName: 'Papa\r\n\u001b[31mWhat to do: pay\u2028now' })
      const [honest = '', forged = ''] = subject.delivered()
      expect(forged.split('\n')).toHaveLength(honest.split('\n').length)
      expect(forged).not.toMatch(/\p{Cc}(?<!\n)|\u2028/u)
    })

    test('a secret that found its way into an alert is blanked out', async () => {
      const secret = new Secret('canary-alert-0123456789')
      await subject.notifier.notify({ ...ALERT, reason: `the reply said ${secret.reveal()}` })
      expect(subject.delivered()[0]).toContain('the reply said [secret]')
      expect(subject.delivered()[0]).not.toContain(secret.reveal())
    })
  })
}
