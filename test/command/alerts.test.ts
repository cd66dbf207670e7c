import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openDatabase } from '../../lib/local/database.ts'
import { filesOf } from '../../lib/local/files.ts'
import { sqliteTokenVault } from '../../lib/local/sqlite-token-vault.ts'
import { vaultKey } from '../../lib/local/vault-key.ts'
import { storedSigningKeys } from '../../lib/site/signing-keys.ts'
import { SnsStandIn, type StandInSubscription, TOPIC } from '../support/sns-stand-in.ts'
import { CommandLine, type Ended } from './command.ts'

// Against a stand-in: moto knows neither pending nor unprotected subscriptions.

const TOKEN = '2336412f37fb687f5d51e6e241d09c8057edc37aa0d57bdd68bc66351f89e560'
const LINK = `https://sns.us-east-1.amazonaws.com/confirmation.html?TopicArn=${TOPIC}&Token=${TOKEN}&Endpoint=asha@example.invalid`
const ASHA: StandInSubscription = {
  protocol: 'email',
  endpoint: 'asha@example.invalid',
  state: 'pending',
  token: TOKEN,
}

let line: CommandLine
let sns: SnsStandIn
let config: string
const outputs: Ended[] = []

beforeAll(async () => {
  line = await CommandLine.start()
  const tokenkeeper = { alertEmails: ['asha@example.invalid'], brokers: { fyers: {} } }
  config = line.file('cdk.json', JSON.stringify({ context: { tokenkeeper } }))
})
afterAll(() => line.close())

beforeEach(async () => {
  sns = await SnsStandIn.start()
})
afterEach(() => sns.close())

async function aws(args: readonly string[], stdin = ''): Promise<Ended> {
  const env = { ...sns.environment, TOKENKEEPER_NOW: '' }
  const done = await line.run([...args, '--backend', 'aws', '--config', config], { stdin, env })
  outputs.push(done)
  return done
}

describe('alerts list', () => {
  test('shows who is subscribed and how safely, and how to mend what is wrong', async () => {
    sns.subscriptions = [
      { ...ASHA, state: 'confirmed by link' },
      { protocol: 'sqs', endpoint: 'arn:aws:sqs:us-east-1:111122223333:watch', state: 'confirmed by link' },
    ]
    const { code, stdout } = await aws(['alerts', 'list'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^a…@example\.invalid {2,}email {2,}unprotected$/m)
    expect(stdout).toMatch(/^watch {2,}sqs {2,}protected$/m)
    expect(stdout).toContain('fix: run aws sns unsubscribe')
  })

  test('says the same to programs', async () => {
    sns.subscriptions = [ASHA]
    const { code, stdout } = await aws(['alerts', 'list', '--json'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual({
      success: true,
      topic: TOPIC,
      subscriptions: [{ protocol: 'email', endpoint: 'a…@example.invalid', state: 'pending' }],
      findings: [
        expect.objectContaining({ problem: 'missing' }),
        expect.objectContaining({ problem: 'pending', fix: expect.stringContaining('alerts confirm') }),
      ],
    })
  })
})

describe('alerts confirm', () => {
  test.each([
    ['from its argument', [LINK], ''],
    ['from stdin', [], `${LINK}\n`],
  ])('takes the link %s, and the subscription is protected from then on', async (_, args, stdin) => {
    sns.subscriptions = [ASHA]
    const done = await aws(['alerts', 'confirm', ...args], stdin)
    expect(done).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringContaining('only somebody with rights'),
    })
    expect(sns.callsOf('ConfirmSubscription')).toMatchObject([
      { Token: TOKEN, TopicArn: TOPIC, AuthenticateOnUnsubscribe: 'true' },
    ])
    expect(JSON.parse((await aws(['alerts', 'list', '--json'])).stdout)).toMatchObject({ findings: [] })
  })

  test('says so when the link had been opened before: then nothing is protected', async () => {
    sns.subscriptions = [{ ...ASHA, state: 'confirmed by link' }]
    expect(await aws(['alerts', 'confirm', LINK])).toMatchObject({
      code: 5,
      stdout: '',
      stderr: expect.stringContaining('its link was opened before'),
    })
  })

  test('says so when SNS does not take it', async () => {
    expect(await aws(['alerts', 'confirm', LINK])).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('newest confirmation mail'),
    })
  })

  test('refuses a link of another topic, or of no SNS, before anybody is asked', async () => {
    const other = await aws(['alerts', 'confirm', LINK.replace('Tokenkeeper-alerts', 'Other-alerts')])
    expect(other).toMatchObject({ code: 2, stderr: expect.stringContaining(`another topic than ${TOPIC}`) })
    const nowhere = await aws(['alerts', 'confirm', LINK.replace('amazonaws.com', 'example.invalid')])
    expect(nowhere).toMatchObject({ code: 2, stderr: expect.stringContaining('does not lead to SNS') })
    const cut = await aws(['alerts', 'confirm', LINK.replace(/&.*/, ''), '--json'])
    expect(JSON.parse(cut.stdout)).toMatchObject({
      success: false,
      error: { code: 'usage', fix: expect.stringContaining('in quotes') },
    })
    expect(sns.calls).toEqual([])
  })
})

describe('alerts test', () => {
  test('sends one message that is no incident, and says whom it reaches', async () => {
    sns.subscriptions = [
      { ...ASHA, state: 'confirmed by a signed call' },
      { ...ASHA, endpoint: 'bina@example.invalid' },
    ]
    const { code, stdout } = await aws(['alerts', 'test'])
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: 'Sent. It should soon be with a…@example.invalid (email).\n',
    })
    const [{ Subject, Message = '' } = {}, ...more] = sns.callsOf('Publish')
    expect(more).toEqual([])
    expect(Subject).toBe('Test message of Tokenkeeper')
    const sqs = JSON.parse(JSON.parse(Message).sqs)
    expect(sqs).toMatchObject({ kind: 'test', severity: 'info' })
    expect(sqs).not.toHaveProperty('incident')
  })

  test('says so when nobody hears it', async () => {
    sns.subscriptions = [ASHA]
    expect(await aws(['alerts', 'test'])).toMatchObject({
      code: 5,
      stdout: expect.stringContaining('nobody gets it'),
    })
  })
})

describe('doctor', () => {
  test('passes a topic whose subscribers are all there and protected', async () => {
    sns.subscriptions = [{ ...ASHA, state: 'confirmed by a signed call' }]
    const { stdout } = await aws(['doctor', '--verbose'])
    expect(stdout).toContain('pass  alerts: reach a…@example.invalid (email)')
  })

  test('fails one nobody hears, and points at what is pending or unprotected', async () => {
    sns.subscriptions = [ASHA]
    const deaf = await aws(['doctor', '--json'])
    expect(deaf.code).toBe(5)
    expect(JSON.parse(deaf.stdout).findings).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          verdict: 'fail',
          what: 'alerts',
          says: expect.stringContaining('nobody is told'),
        }),
        expect.objectContaining({
          verdict: 'warn',
          what: 'alerts',
          says: expect.stringContaining('not confirmed'),
        }),
      ]),
    )
    sns.subscriptions = [{ ...ASHA, state: 'confirmed by link' }]
    const { code, stdout } = await aws(['doctor'])
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/warn {2}alerts: a…@example\.invalid is unsubscribed by whoever/),
    })
  })

  test('says which right is missing to look', async () => {
    sns.refused.set('ListSubscriptionsByTopic', { code: 'AuthorizationError', status: 403 })
    expect((await aws(['doctor'])).stdout).toContain(`allow sns:ListSubscriptionsByTopic on topic ${TOPIC}`)
  })
})

test('nothing above printed the token or a whole address', () => {
  expect(outputs.length).toBeGreaterThan(10)
  const said = outputs.map(({ stdout, stderr }) => stdout + stderr).join('\n')
  expect(said).not.toContain(TOKEN)
  expect(said).not.toMatch(/asha@|bina@/)
})

describe('on the local backend', () => {
  test('alerts list says where alerts go', async () => {
    expect(await line.run(['alerts', 'list'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('nobody has to subscribe'),
    })
  })

  test('alerts test prints the message where alerts are printed', async () => {
    const done = await line.run(['alerts', 'test'])
    expect(done).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^-{72}\nTest message of Tokenkeeper\n/),
    })
  })

  test('alerts confirm has nothing to confirm', async () => {
    expect(await line.run(['alerts', 'confirm', LINK])).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('--backend aws'),
    })
  })

  test('alerts rotate-key makes a new key, and keeps the one before it for the links that are out', async () => {
    const keys = async () => {
      const files = filesOf(line.home)
      const database = openDatabase(files.database)
      const vault = sqliteTokenVault(database, vaultKey(files.key, true), line.clock)
      const all = await storedSigningKeys(vault, line.clock).all()
      database.close()
      return all.map(({ id }) => id)
    }
    const first = await line.run(['alerts', 'rotate-key'])
    expect(first).toMatchObject({ code: 0, stdout: expect.stringContaining('signed with a new key') })
    const [before = ''] = await keys()
    expect(JSON.parse((await line.run(['alerts', 'rotate-key', '--json'])).stdout)).toMatchObject({
      success: true,
    })
    expect(await keys()).toEqual([expect.not.stringMatching(`^${before}$`), before])
  })

  test('alerts alone says what there is', async () => {
    const done = await line.run(['alerts'])
    expect(done.code).toBe(2)
    expect(done.stderr).toMatch(/list[\s\S]*confirm[\s\S]*test[\s\S]*rotate-key/)
  })
})
