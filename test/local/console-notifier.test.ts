import { describe, expect, test } from 'vitest'
import { consoleNotifier } from '../../lib/local/console-notifier.ts'
import { ALERT, notifierContract } from '../contracts/notifier-contract.ts'

notifierContract('the console', async () => {
  const texts: string[] = []
  return { notifier: consoleNotifier((text) => void texts.push(text)), delivered: () => texts }
})

describe('the console', () => {
  test('shows an alert as a block a person can read', async () => {
    let shown = ''
    await consoleNotifier((text) => {
      shown += text
    }).notify(ALERT)
    expect(shown.replaceAll(/-{72}/g, '---')).toBe(
      `---
Log in: FYERS Papa

What happened: FYERS refused the refresh token
What to do: log in before 09:15: tokenkeeper login fyers/papa

Account: fyers/papa (Papa)
Urgency: act before the market opens
Incident: fyers/papa@2026-11-23T01:30:00Z
---
`,
    )
  })

  test('shows a notice about the installation the same way', async () => {
    let shown = ''
    const { announce } = consoleNotifier((text) => {
      shown += text
    })
    await announce({
      kind: 'test',
      severity: 'info',
      title: 'A test',
      reason: 'asked for',
      action: 'nothing',
    })
    expect(shown).toMatch(/^-{72}\nA test\n\nWhat happened: asked for\n[\s\S]*\n-{72}\n$/)
  })

  test('says so when it cannot be written to', async () => {
    const closed = consoleNotifier(() => {
      throw new Error('EPIPE')
    })
    await expect(closed.notify(ALERT)).rejects.toMatchObject({ code: 'notify_failed' })
  })
})
