import { existsSync } from 'node:fs'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda'
import { DeleteParameterCommand, SSMClient } from '@aws-sdk/client-ssm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dynamoScheduledRuns } from '../../lib/aws/dynamo/dynamo-scheduled-runs.ts'
import type { RunReport } from '../../lib/model/outcome.ts'
import { arnText, resourcesOf, roleStatements } from '../infra/template.ts'
import { alarmEvent } from '../support/alarm-event.ts'
import { ALERT_QUEUE, Deployment, NAMES, PREFIX } from './support/deployment.ts'
import { parametersBelow } from './support/deployment-aws.ts'
import { APP, type Brokers, startBrokers, USERS } from './support/deployment-brokers.ts'
import {
  alertsAbout,
  eventsAbout,
  logOf,
  record,
  secretsOf,
  stored,
  writtenBy,
} from './support/deployment-evidence.ts'
import { aliveInGroup } from './support/deployment-processes.ts'
import { leaksIn } from './support/deployment-secrets.ts'

let stack: Deployment<Brokers>
let firstRun: RunReport

beforeAll(async () => {
  stack = await Deployment.make(startBrokers)
  const { brokers } = stack
  await Promise.all([
    stack.setUp('fyers', brokers.fyersVariables(USERS.one)),
    stack.setUp('pos-connector/one', brokers.posVariables()),
    stack.setUp('pos-connector/two', brokers.posVariables()),
  ])
  // Takes longer than one invocation may, while the other tests run.
  await stack.start('pos-connector', {})
  firstRun = await stack.invoke('fyers', {})
})

afterAll(() => stack?.close())

/** Status of a call to FYERS with the published access token of an account. */
async function profileStatus(account: string): Promise<number> {
  const { Value } = (await stored(`${account}/access_token`)) ?? {}
  const headers = { authorization: `${APP.clientId}:${Value}` }
  return (await fetch(`${stack.brokers.fyersServer.origin}/api/v3/profile`, { headers })).status
}

describe('the deployed stack', () => {
  test('has a function and a role of its own for each broker, the pages, the programs, the check of the alerts and whoever tells of alarms', async () => {
    const { Functions = [] } = await new LambdaClient().send(new ListFunctionsCommand())
    const ours = Functions.filter(({ FunctionName }) => FunctionName?.startsWith('TokenkeeperE2E-'))
    expect(ours.map(({ FunctionName }) => FunctionName).toSorted()).toEqual([
      'TokenkeeperE2E-alarms',
      'TokenkeeperE2E-fyers',
      'TokenkeeperE2E-pos-connector',
      'TokenkeeperE2E-rest',
      'TokenkeeperE2E-site',
      'TokenkeeperE2E-subscriptions',
    ])
    expect(new Set(ours.map(({ Role }) => Role)).size).toBe(6)
  })

  test('schedules each broker in its own time zone, and the check of the alerts in the first one’s', () => {
    const schedules = resourcesOf(stack.template(), 'AWS::Scheduler::Schedule')
    expect(schedules.map(({ Properties }) => Properties['ScheduleExpressionTimezone'])).toEqual([
      'Asia/Kolkata',
      'America/New_York',
      // At seven, and before the open.
      'Asia/Kolkata',
      'Asia/Kolkata',
    ])
  })

  test('lets each function continue its own runs and no others', () => {
    const invocations = roleStatements(stack.template()).filter(({ Sid }) => Sid === 'HandOverToItself')
    expect(invocations.map(({ Resource }) => arnText(Resource))).toEqual(
      ['fyers', 'pos-connector'].map(
        (broker) =>
          `arn:<AWS::Partition>:lambda:<AWS::Region>:<AWS::AccountId>:function:${NAMES.function(broker)}`,
      ),
    )
  })

  test('has a policy for programs of each broker, to attach to their roles', () => {
    for (const name of ['Fyers', 'PosConnector']) {
      const arn = stack.output(`${name}ConsumerPolicyArn`)
      expect(arn).toMatch(/^arn:aws:iam::000000000000:policy\/./)
      expect(arn).toContain(`${name}Consumer`)
    }
  })

  test('has SecureStrings only, put by the command line, beside whose they are', async () => {
    const all = await parametersBelow(PREFIX)
    expect(all.get(`${PREFIX}/owner`)).toMatchObject({ Type: 'String', Value: 'TokenkeeperE2E' })
    const parameters = [...all.values()].filter(({ Name }) => Name !== `${PREFIX}/owner`)
    expect(parameters.map(({ Name }) => Name)).toEqual(
      expect.arrayContaining([`${PREFIX}/fyers/client_secret`, `${PREFIX}/pos-connector/one/password`]),
    )
    expect(new Set(parameters.map(({ Type }) => Type))).toEqual(new Set(['SecureString']))
    expect((await stored('fyers/pin'))?.Value).toBe(USERS.one.pin)
  })
})

describe('a run', () => {
  test('publishes an access token that the broker accepts, and reports and records it', async () => {
    expect(firstRun).toMatchObject({ success: true, refreshed: 1, failed: 0, skipped: 0, total: 1 })
    expect(firstRun.message).toBe('1 refreshed, 0 skipped, 0 failed of 1')
    expect(firstRun.results).toEqual([
      {
        success: true,
        account: 'fyers',
        userID: USERS.one.fyId,
        clientName: USERS.one.name,
        outcome: 'refreshed',
        reason: 'no access token is stored',
        live: true,
        tokenValidity: expect.stringMatching(/T06:00:00\+05:30$/),
        nextAction: expect.stringContaining('renewal due'),
      },
    ])
    expect(await stored('fyers/access_token')).toMatchObject({ Type: 'SecureString', Version: 1 })
    expect(await profileStatus('fyers')).toBe(200)
    expect(await record('fyers')).toMatchObject({
      generation: 1,
      userId: USERS.one.fyId,
      last: { outcome: 'refreshed' },
      accessToken: { version: 1, source: 'refresh_token' },
    })
  })

  test('tells the programs that subscribed of the token, once, without the token', async () => {
    const events = await eventsAbout(stack, 'fyers')
    const { accessToken } = (await record('fyers')) as { accessToken: Record<string, string> }
    expect(events.map(({ Message }) => JSON.parse(Message))).toEqual([
      {
        version: 1,
        kind: 'token_published',
        account: 'fyers',
        broker: 'fyers',
        generation: 1,
        issuedAt: accessToken['issuedAt'],
        expiresAt: accessToken['expiresAt'],
        provenAt: accessToken['provenAt'],
        source: 'refresh_token',
      },
    ])
    expect(events).toMatchObject([
      { MessageAttributes: { kind: { Value: 'token_published' }, broker: { Value: 'fyers' } } },
    ])
    const { Value = 'no token' } = (await stored('fyers/access_token')) ?? {}
    expect(JSON.stringify(events)).not.toContain(Value)
  })

  test('finds the token fresh a moment later, and calls, writes and tells nothing', async () => {
    const { brokers } = stack
    const before = { record: await record('fyers'), calls: brokers.fyersServer.seen.length }
    const { results } = await stack.invoke('fyers', { accounts: ['fyers'] })
    expect(results).toMatchObject([{ account: 'fyers', outcome: 'fresh', success: true }])
    expect(await stored('fyers/access_token')).toMatchObject({ Version: 1 })
    expect({ record: await record('fyers'), calls: brokers.fyersServer.seen.length }).toEqual(before)
    expect(await eventsAbout(stack, 'fyers')).toHaveLength(1)
  })

  test('starts from what its schedule sends', async () => {
    const input = (await stack.aws.scheduledInputs())[NAMES.function('fyers')] ?? ''
    const { results } = await stack.invoke('fyers', JSON.parse(input))
    expect(results).toMatchObject([{ account: 'fyers', outcome: 'fresh' }])
    expect(await logOf(stack, 'fyers')).toContain('"reason":"schedule"')
    expect(await dynamoScheduledRuns(new DynamoDBClient(), NAMES.table).lastStart('fyers')).toBeDefined()
  })

  test('refuses accounts of another broker and says whose they are', async () => {
    await expect(stack.invoke('fyers', { accounts: ['pos-connector/one'] })).rejects.toThrow(
      'invoke the function of pos-connector; this one serves fyers only',
    )
  })

  test('R3.6 replaces an access token that was deleted, started by the command line through the function', async () => {
    const account = 'fyers/deleted'
    await stack.setUp(account, stack.brokers.fyersVariables(USERS.two))
    const given = stack.brokers.fyers.accessTokenFor(USERS.two.fyId)
    const put = await stack.tokenkeeper(['put', account, 'access_token'], given)
    expect(put).toMatchObject({ code: 0, stdout: expect.stringContaining('proven live for SIM USER TWO') })
    expect(await record(account)).toMatchObject({ generation: 1, accessToken: { source: 'given' } })

    const Name = `${PREFIX}/${account}/access_token`
    await new SSMClient().send(new DeleteParameterCommand({ Name }))
    const { code, stdout } = await stack.tokenkeeper(['refresh', account, '--json'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout).results).toMatchObject([{ account, outcome: 'refreshed', success: true }])
    expect(await logOf(stack, 'fyers')).toContain('"reason":"manual"')
    expect(await profileStatus(account)).toBe(200)
    expect((await stored(`${account}/access_token`))?.Value).not.toBe(given)
    expect(await record(account)).toMatchObject({ generation: 2, accessToken: { source: 'refresh_token' } })
    const events = (await eventsAbout(stack, account)).map(({ Message }) => JSON.parse(Message))
    expect(events).toMatchObject([
      { generation: 1, source: 'given' },
      { generation: 2, source: 'refresh_token' },
    ])
  })
})

/** While the market is open there is no deadline to name. */
function askedFor(account: string): RegExp {
  return new RegExp(`^Log in: FYERS ${account}( before \\w{3} \\d+ \\w{3} 09:15 IST)?$`)
}

describe('a refused grant', () => {
  const account = 'fyers/withdrawn'

  test('R3.9 asks a person once, in words and in attributes to filter by', async () => {
    const { brokers } = stack
    await stack.setUp(account, brokers.fyersVariables(USERS.three))
    brokers.fyers.behaviour.refreshWithdrawn = { code: -501, status: 400 }
    const first = await stack.invoke('fyers', { accounts: [account] })
    const attempts = brokers.fyers.refreshes
    const second = await stack.invoke('fyers', { accounts: [account] })
    delete brokers.fyers.behaviour.refreshWithdrawn

    const refused = { success: false, results: [{ account, outcome: 'awaiting_login', success: false }] }
    expect([first, second]).toMatchObject([refused, refused])
    expect(brokers.fyers.refreshes).toBe(attempts)
    expect(await record(account)).toMatchObject({ generation: 0, last: { outcome: 'awaiting_login' } })
    expect(await alertsAbout(stack, account)).toMatchObject([
      {
        Subject: expect.stringMatching(askedFor(account)),
        Message: expect.stringContaining('"action":"log in at FYERS'),
        MessageAttributes: {
          broker: { Value: 'fyers' },
          account: { Value: account },
          kind: { Value: 'login_needed' },
          severity: { Value: 'action' },
        },
      },
    ])
  })

  test('is over when a person puts an access token, and is said to be', async () => {
    const given = stack.brokers.fyers.accessTokenFor(USERS.three.fyId)
    expect(await stack.tokenkeeper(['put', account, 'access_token'], given)).toMatchObject({ code: 0 })
    expect((await alertsAbout(stack, account)).map(({ Subject }) => Subject)).toEqual([
      expect.stringMatching(askedFor(account)),
      `Solved: FYERS ${account}`,
    ])
    const { stdout } = await stack.tokenkeeper(['status', account, '--json'])
    expect(JSON.parse(stdout).accounts).toMatchObject([
      { account, state: 'fresh', live: true, source: 'given' },
    ])
  })

  test('of a broker that repeats the secrets in its reply ends the command with the code for a login', async () => {
    const { brokers } = stack
    const echoed = 'fyers/echoed'
    await stack.setUp(echoed, brokers.fyersVariables(USERS.three))
    const secrets = Object.values(brokers.secrets()).join(' ')
    brokers.fyersServer.failNext('/api/v3/validate-refresh-token', {
      kind: 'reply',
      status: 400,
      body: JSON.stringify({ s: 'error', code: -501, message: `cannot accept ${secrets}` }),
    })
    const { code, stdout } = await stack.tokenkeeper(['refresh', echoed])
    expect({ code, stdout }).toEqual({ code: 4, stdout: expect.stringContaining('log in at FYERS') })
    expect(await alertsAbout(stack, echoed)).toHaveLength(1)
  })
})

test('R3.9 an alarm is told on the topic of the alerts, with what subscribers filter by', async () => {
  const [alarm] = resourcesOf(stack.template(), 'AWS::CloudWatch::Alarm').filter(
    ({ Properties }) => Properties['MetricName'] === 'Unsuccessful',
  )
  const { AlarmName: name = '', AlarmDescription: description } = (alarm?.Properties ?? {}) as Record<
    string,
    string
  >
  expect(await stack.invoke('alarms', alarmEvent({ name, description }))).toEqual({ told: true })
  const messages = (await stack.aws.messages(ALERT_QUEUE)).map(
    (body) => JSON.parse(body) as { Subject: string; Message: string; MessageAttributes: object },
  )
  const told = messages.find(({ Subject }) => Subject === `Alarm: ${name}`)
  expect(told?.MessageAttributes).toMatchObject({ severity: { Value: 'page' }, broker: { Value: 'fyers' } })
  expect(JSON.parse(told?.Message ?? '{}')).toMatchObject({
    kind: 'operator_action',
    action: expect.stringMatching(/^run .*tokenkeeper .*status$/),
  })
})

test('the check of the alerts finds the deployed address that any link could unsubscribe, and tells who listens', async () => {
  const report = await stack.invoke('subscriptions', { reason: 'schedule' })
  expect(report).toMatchObject({ problems: 1, findings: [{ problem: 'unprotected' }], missed: [] })
  expect(await logOf(stack, 'subscriptions')).toContain('"AlertSubscriptionProblems":1')
  const messages = (await stack.aws.messages(ALERT_QUEUE)).map(
    (body) => JSON.parse(body) as { Subject: string },
  )
  expect(messages.map(({ Subject }) => Subject)).toContain('Set-up needs a correction: who gets alerts')
  const { stdout } = await stack.tokenkeeper(['alerts', 'list', '--json'])
  expect(JSON.parse(stdout)).toMatchObject({
    subscriptions: [
      { protocol: 'email', endpoint: 'o…@example.com', state: 'unprotected' },
      { protocol: 'sqs', endpoint: ALERT_QUEUE, state: 'protected' },
    ],
    findings: [{ problem: 'unprotected' }],
  })
})

test('a run that does not fit into one invocation is finished by the next, each account once', async () => {
  const generations = async () =>
    [await record('pos-connector/one'), await record('pos-connector/two')].map((one) => one?.['generation'])
  await expect.poll(generations, { timeout: 30_000, interval: 200 }).toEqual([1, 1])
  expect(stack.brokers.pos.logins).toBe(2)
  await expect
    .poll(async () => (await logOf(stack, 'pos-connector')).match(/"run completed"/g)?.length)
    .toBe(2)
  const log = await logOf(stack, 'pos-connector')
  expect([log.includes('"handedOver":1'), log.includes('"continuation":1')]).toEqual([true, true])
})

test('no secret is in any log, reply, message, record, template, bundle or printed line of this run', async () => {
  const written = await writtenBy(stack)
  const isThere = {
    printed: 'Bundling asset',
    replied: '"nextAction"',
    logged: '"run completed"',
    sent: '\\"kind\\":\\"token_published\\"',
    recorded: '"generation"',
    files: 'validate-refresh-token',
    emulator: 'Lambda worker spawned',
  }
  for (const [source, text] of Object.entries(isThere)) {
    expect(written[source as keyof typeof written].map((output) => output.text).join('\n')).toContain(text)
  }
  const secrets = await secretsOf(stack)
  expect(Object.keys(secrets).length).toBeGreaterThan(15)
  expect(leaksIn(Object.values(written).flat(), secrets)).toEqual([])
})

test('stops with all its processes and files', async () => {
  const { emulator, folder, brokers } = stack
  expect(aliveInGroup(emulator.processGroup)).toBeGreaterThan(0)
  await stack.close()
  // Killed is not yet gone: the kernel takes its time.
  await expect.poll(() => aliveInGroup(emulator.processGroup)).toBe(0)
  expect([existsSync(emulator.folder), existsSync(folder)]).toEqual([false, false])
  await expect(fetch(brokers.fyersServer.origin)).rejects.toThrow('fetch failed')
})
