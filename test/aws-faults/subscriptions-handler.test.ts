import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { subscriptionsHandler } from '../../functions/runtime/subscriptions-handler.ts'
import { bundle } from '../../infra/constructs/bundle/bundle.ts'
import { VirtualClock } from '../../lib/simulators/kit/virtual-clock.ts'
import { useEnvironment } from '../aws/support/emulator.ts'
import { captureOutput, lambdaContext } from '../functions/lambda.ts'
import { SnsStandIn, type StandInSubscription, TOPIC } from '../support/sns-stand-in.ts'

// Against a stand-in: on moto every subscription is confirmed and protected, so that the check could only ever be content.

const ASHA: StandInSubscription = {
  protocol: 'email',
  endpoint: 'asha@example.invalid',
  state: 'confirmed by a signed call',
}
const STACK = { TOKENKEEPER_STACK: 'Second', TOKENKEEPER_TABLE: 'Second-state', TOKENKEEPER_BROKERS: '{}' }
/** With everything that only an alert loads; each further 100 kB costs about 2 ms of a cold start. */
const MOST_BYTES = 1_500_000

let sns: SnsStandIn
let restore: () => void
let clock: VirtualClock
let output: ReturnType<typeof captureOutput>

beforeEach(async () => {
  sns = await SnsStandIn.start()
  restore = useEnvironment(sns.endpoint)
  clock = new VirtualClock('2026-11-23T07:00:00+05:30')
  vi.stubEnv('TOKENKEEPER_TOPIC_ARN', TOPIC)
  vi.stubEnv('TOKENKEEPER_ALERT_EMAILS', 'asha@example.invalid,bina@example.invalid')
  vi.stubEnv('POWERTOOLS_METRICS_NAMESPACE', 'Second')
  for (const [name, value] of Object.entries(STACK)) vi.stubEnv(name, value)
  output = captureOutput()
})

afterEach(async () => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  restore()
  await sns.close()
})

function check() {
  return subscriptionsHandler(clock)({ reason: 'schedule' }, lambdaContext())
}

function metric(): readonly Record<string, unknown>[] {
  return output.lines().filter((line) => 'AlertSubscriptionProblems' in line)
}

describe('the daily check', () => {
  test('counts none and says nothing while everybody hears', async () => {
    sns.subscriptions = [ASHA, { ...ASHA, endpoint: 'bina@example.invalid' }]
    expect(await check()).toEqual({ problems: 0, findings: [], missed: [] })
    expect(sns.callsOf('Publish')).toEqual([])
    expect(metric()).toMatchObject([{ AlertSubscriptionProblems: 0 }])
  })

  test('tells those who hear of those who do not, in one message, and counts', async () => {
    sns.subscriptions = [ASHA]
    expect(await check()).toMatchObject({ problems: 1, findings: [{ problem: 'missing' }] })
    const [published = {}, ...more] = sns.callsOf('Publish')
    expect(more).toEqual([])
    expect(published['Subject']).toBe('Set-up needs a correction: who gets alerts')
    const { email, sqs } = JSON.parse(String(published['Message'])) as Record<string, string>
    expect(email).toContain('b…@example.invalid is in alertEmails but not subscribed')
    expect(JSON.parse(String(sqs))).toMatchObject({ kind: 'operator_action', severity: 'action' })
    expect(metric()).toMatchObject([{ AlertSubscriptionProblems: 1 }])
  })

  test('counts in the namespace of its stack, under the name of its topic', async () => {
    await check()
    expect(metric()).toMatchObject([
      {
        topic: 'Tokenkeeper-alerts',
        _aws: { CloudWatchMetrics: [{ Namespace: 'Second', Dimensions: [['topic']] }] },
      },
    ])
  })

  test('counts before it tells: a topic that takes no message is no reason to be silent', async () => {
    sns.refused.set('Publish', { code: 'AuthorizationError', status: 403 })
    await expect(check()).rejects.toThrow(/SNS refused Publish.*To mend it: allow sns:Publish/)
    expect(metric()).toMatchObject([{ AlertSubscriptionProblems: 3 }])
  })

  test('fails aloud when it cannot look, and counts nothing it does not know', async () => {
    sns.refused.set('ListSubscriptionsByTopic', { code: 'AuthorizationError', status: 403 })
    await expect(check()).rejects.toThrow(/To mend it: allow sns:ListSubscriptionsByTopic/)
    expect(metric()).toEqual([])
  })

  test('looks at the runs although it could not look at the subscriptions', async () => {
    vi.stubEnv('TOKENKEEPER_BROKERS', '{"fyers":{}}')
    sns.refused.set('ListSubscriptionsByTopic', { code: 'AuthorizationError', status: 403 })
    await expect(check()).rejects.toThrow(/ListSubscriptionsByTopic/)
    expect(sns.written.map(({ Item }) => Item)).toMatchObject([{ pk: { S: 'runs' }, sk: { S: 'watched' } }])
  })

  test('in a wrong environment throws what is missing', async () => {
    vi.stubEnv('TOKENKEEPER_TOPIC_ARN', undefined)
    await expect(check()).rejects.toThrow(/TOKENKEEPER_TOPIC_ARN.*To mend it: deploy the stack again/)
  })

  test('tells once a week that the trading days it knows end, and counts that for no problem of who hears', async () => {
    vi.stubEnv('TOKENKEEPER_BROKERS', '{"fyers":{}}')
    sns.subscriptions = [ASHA, { ...ASHA, endpoint: 'bina@example.invalid' }]
    for (const date of ['2026-11-30', '2026-12-01', '2026-12-02', '2026-12-08']) {
      clock.set(`${date}T07:00:00+05:30`)
      expect(await check()).toMatchObject({ problems: 0, findings: [] })
    }
    const published = sns.callsOf('Publish')
    expect(published.map(({ Subject }) => Subject)).toEqual([
      'Trading days are known until 2026-12-31 only',
      'Trading days are known until 2026-12-31 only',
    ])
    const { email } = JSON.parse(String(published[0]?.['Message'])) as Record<string, string>
    expect(email).toContain('each weekday counts as open')
    expect(metric().every((one) => one['AlertSubscriptionProblems'] === 0)).toBe(true)
  })

  test('needs no configured address', async () => {
    vi.stubEnv('TOKENKEEPER_ALERT_EMAILS', undefined)
    sns.subscriptions = [ASHA]
    expect(await check()).toEqual({ problems: 0, findings: [], missed: [] })
  })

  test('writes no whole address anywhere', async () => {
    sns.subscriptions = [{ ...ASHA, state: 'confirmed by link' }]
    const report = await check()
    expect(report.problems).toBe(2)
    const written = [JSON.stringify(report), output.text(), JSON.stringify(sns.callsOf('Publish'))].join('\n')
    expect(written).toContain('a…@example.invalid')
    expect(written).not.toMatch(/asha@|bina@/)
  })
})

test('the bundled function is small, and does the same', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tokenkeeper-bundle-'))
  try {
    const bytes = Object.values(bundle('subscriptions.ts', folder)).reduce((sum, size) => sum + size, 0)
    expect(bytes).toBeLessThan(MOST_BYTES)
    const script = `
      const { handler } = await import(${JSON.stringify(pathToFileURL(join(folder, 'index.mjs')).href)})
      const reply = await handler({}, { awsRequestId: 'request', getRemainingTimeInMillis: () => 50_000 })
      process.stdout.write('\\nENDED' + JSON.stringify(reply))`
    const env = { ...sns.environment, ...STACK, TOKENKEEPER_TOPIC_ARN: TOPIC }
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { env })
    const printed = await text(child.stdout)
    expect(JSON.parse(/\nENDED(.*)/.exec(printed)?.[1] ?? '{}')).toMatchObject({ problems: 1 })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
