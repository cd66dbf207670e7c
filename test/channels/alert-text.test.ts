import { Temporal } from 'temporal-polyfill'
import { describe, expect, test } from 'vitest'
import { alertJson } from '../../lib/channels/alert-json.ts'
import { alertText } from '../../lib/channels/alert-text.ts'
import type { Notice } from '../../lib/channels/notice.ts'
import type { Alert } from '../../lib/ports/notifier.ts'
import { ALERT } from '../contracts/notifier-contract.ts'

const LINK = `https://site.example.invalid/login?account=fyers%2Fpapa&sig=${'0123456789'.repeat(12)}`
const WHOLE: Alert = {
  ...ALERT,
  title: 'Log in: FYERS Papa before Mon 23 Nov 09:15 IST',
  reason: 'FYERS refused the refresh token',
  action: 'log in at FYERS: tokenkeeper login fyers/papa',
  deadline: Temporal.ZonedDateTime.from('2026-11-23T09:15[Asia/Kolkata]'),
  link: LINK,
}
const NOTICE: Notice = {
  kind: 'operator_action',
  severity: 'action',
  title: 'Set-up needs a correction: who gets alerts',
  reason: 'nobody is told',
  action: 'run tokenkeeper alerts list',
}
const LOREM = 'seven words of which none is long '.repeat(12)

function linesOf(alert: Alert): readonly string[] {
  return alertText(alert).split('\n')
}

describe('the text of an alert', () => {
  test('says what happened and by when, then the link, then what else there is, and ids last', () => {
    expect(alertText(WHOLE)).toBe(`Log in: FYERS Papa before Mon 23 Nov 09:15 IST

What happened: FYERS refused the refresh token
By when: Mon 23 Nov 09:15 IST

Open: ${LINK}

What to do otherwise: log in at FYERS: tokenkeeper login fyers/papa

Account: fyers/papa (Papa)
Urgency: act before the market opens
Incident: fyers/papa@2026-11-23T01:30:00Z
`)
  })

  test('has the link on a line of its own, whole however long, and no other', () => {
    const lines = linesOf(WHOLE)
    expect(lines.filter((line) => line.includes('://'))).toEqual([`Open: ${LINK}`])
    const at = lines.indexOf(`Open: ${LINK}`)
    expect([lines[at - 1], lines[at + 1]]).toEqual(['', ''])
  })

  test('names commands as whoever reads it calls them, each on one line to be copied whole', () => {
    const words = { call: 'npx tokenkeeper --backend aws' }
    const action = 'log in at FYERS, or store a token you have: tokenkeeper put fyers/papa access_token'
    const lines = alertText({ ...WHOLE, action }, words).split('\n')
    expect(lines.filter((line) => line.includes('tokenkeeper'))).toEqual([
      '  npx tokenkeeper --backend aws put fyers/papa access_token',
    ])
    expect(alertJson({ ...WHOLE, action }, words).action).toContain(`: ${words.call} put fyers/papa`)
  })

  test('without a link says what to do, and without a deadline none', () => {
    const { deadline, link, ...rest } = WHOLE
    expect(alertText(rest)).toContain('\nWhat to do: log in at FYERS')
    expect(alertText(rest)).not.toMatch(/By when|Open|otherwise/)
  })

  test('has no line over 76 characters but what cannot be broken, and loses no word', () => {
    const long = { ...WHOLE, title: LOREM, reason: LOREM, action: LOREM, accountName: LOREM.trim() }
    const tooLong = linesOf(long).filter((line) => [...line].length > 76)
    expect(tooLong).toEqual([`Open: ${LINK}`])
    expect(linesOf(long).some((line) => line.length > 70)).toBe(true)
    const words = (text: string) => text.split(/\s+/).filter(Boolean)
    expect(words(alertText(long)).filter((word) => word === 'seven' || word === '(seven')).toHaveLength(48)
  })

  test('does not let a name begin a line, wherever the line before it is broken', () => {
    for (let length = 1; length < 90; length++) {
      const accountName = `${'x '.repeat(length)}What to do: pay`
      const forged = linesOf({ ...WHOLE, accountName, title: accountName, reason: accountName })
      expect(forged.filter((line) => line.startsWith('What to do: pay'))).toEqual([])
    }
  })

  test('calls an account without a nickname by its id once', () => {
    expect(linesOf({ ...WHOLE, accountName: WHOLE.account })).toContain('Account: fyers/papa')
  })

  test('of a notice names neither account nor incident', () => {
    expect(alertText(NOTICE)).toBe(`Set-up needs a correction: who gets alerts

What happened: nobody is told
What to do: run tokenkeeper alerts list

Urgency: act today
`)
  })
})

describe('the machine-readable form', () => {
  test('of an alert has every fact under its own name', () => {
    expect(alertJson(WHOLE)).toEqual({
      version: 1,
      kind: 'login_needed',
      severity: 'action',
      broker: 'fyers',
      account: 'fyers/papa',
      accountName: 'Papa',
      incident: 'fyers/papa@2026-11-23T01:30:00Z',
      title: WHOLE.title,
      reason: WHOLE.reason,
      action: WHOLE.action,
      deadline: '2026-11-23T09:15:00+05:30',
      link: LINK,
    })
  })

  test('leaves out what there is not', () => {
    expect(Object.keys(alertJson(ALERT))).not.toContain('deadline')
    expect(Object.keys(alertJson(ALERT))).not.toContain('link')
    expect(alertJson(NOTICE)).toEqual({ version: 1, ...NOTICE })
  })
})
