import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { BROKER_IDS } from '../../lib/brokers/index.ts'
import { sameDay } from '../support/same-day.ts'
import { type Ended, ended } from './command.ts'

const ROOT = join(import.meta.dirname, '../..')
let output: string

beforeEach(() => {
  output = mkdtempSync(join(tmpdir(), 'tokenkeeper-synth-'))
})

afterEach(() => rmSync(output, { recursive: true, force: true }))

/** Runs infra/app.ts as the cdk command does. */
function synth(tokenkeeper: unknown, bundledStacks: readonly string[] = []): Promise<Ended> {
  const context = JSON.stringify({ tokenkeeper, 'aws:cdk:bundling-stacks': bundledStacks })
  const { PATH } = process.env
  const env = { ...sameDay(), PATH, CDK_OUTDIR: output, CDK_CONTEXT_JSON: context }
  return ended(spawn(process.execPath, ['infra/app.ts'], { cwd: ROOT, env }))
}

describe('synth', () => {
  test('of all brokers with every option has no cdk-nag finding that is not accepted with a reason', async () => {
    const brokers = Object.fromEntries(BROKER_IDS.map((id) => [id, {}]))
    const { code, stderr, stdout } = await synth({
      brokers,
      customerManagedKey: true,
      alertEmails: ['ops@example.com'],
    })
    expect({ code, said: stderr + stdout }).toEqual({ code: 0, said: '' })
  })

  test('bundles each function from its own file', async () => {
    expect((await synth({ brokers: { fyers: {}, upstox: {} } }, ['Tokenkeeper'])).code).toBe(0)
    const bundles = readdirSync(output).filter((name) => name.startsWith('asset.'))
    const entries = bundles.map((name) => readFileSync(join(output, name, 'index.mjs'), 'utf8'))
    const hosts = ['https://api-t1.fyers.in', 'https://api.upstox.com']
    const known = entries.map((entry) => hosts.filter((host) => entry.includes(host)).length)
    // One broker each; the pages, the interface for programs and the daily check both; what tells of alarms none.
    expect(known.toSorted()).toEqual([0, 1, 1, 2, 2, 2])
  })

  test('of a mistake in cdk.json prints what is wrong, where and what is allowed, without a stack trace', async () => {
    const { code, stderr } = await synth({
      brokers: { fyers: { schedules: ['every day'], timeZone: 'Asia/Calcutta2' } },
    })
    expect(code).toBe(1)
    expect(stderr).toContain('brokers.fyers.timeZone: "Asia/Calcutta2" is no IANA time zone')
    expect(stderr).toContain('brokers.fyers.schedules.0: "every day" is no schedule')
    expect(stderr).not.toContain('    at ')
  })
})
