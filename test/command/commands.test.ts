import { chmodSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { VERSION } from '../../lib/model/version.ts'
import type { DemoAccount } from '../../lib/simulators/demo/demo-accounts.ts'
import { CALL, CommandLine, type Ended } from './command.ts'

const ANSI = '\u001b['
const FYERS_ENV: Readonly<Record<string, string>> = {
  client_id: 'FYERS_CLIENT_ID',
  client_secret: 'FYERS_APP_SECRET',
  pin: 'FYERS_PIN',
  refresh_token: 'FYERS_REFRESH_TOKEN',
}

let line: CommandLine
const outputs: Ended[] = []

beforeAll(async () => {
  line = await CommandLine.start()
})
afterAll(() => line.close())

async function run(...given: Parameters<CommandLine['run']>): Promise<Ended> {
  const done = await line.run(...given)
  outputs.push(done)
  return done
}

function account(id: string): DemoAccount {
  return line.world.accounts.find((one) => one.id === id) as DemoAccount
}

/** Past the minimum pause between two logins of an account. */
function laterBy(minutes: number): NodeJS.ProcessEnv {
  return { TOKENKEEPER_NOW: line.clock.now().add({ minutes }).toString() }
}

function fyersEnvFile(id: string): string {
  const lines = Object.entries(account(id).secrets).map(([name, value]) => `${FYERS_ENV[name]}="${value}"`)
  return line.file(`${id.replace('/', '-')}.env`, `${lines.join('\n')}\n`)
}

describe('before anything is set up', () => {
  test('the version can be asked for', async () => {
    expect(await run(['--version'])).toMatchObject({ code: 0, stdout: `${VERSION}\n`, stderr: '' })
  })

  test('R0.10 a refresh says that there are no accounts and how to set one up', async () => {
    expect(await run(['refresh'])).toMatchObject({
      code: 5,
      stdout: '',
      stderr: expect.stringContaining(`run ${CALL} setup fyers`),
    })
    expect(await run(['refresh', 'iifl'])).toMatchObject({
      code: 5,
      stderr: `no accounts: run ${CALL} setup iifl\n`,
    })
  })

  test.concurrent.each([
    ['an unknown command', ['nonsense']],
    ['an unknown broker', ['refresh', 'nosuch']],
    ['a malformed account', ['status', 'iifl/a/b']],
    ['--user beside another broker', ['refresh', 'upstox', '--user', '1']],
    ['an unknown option', ['refresh', '--quickly']],
    ['a port that is none', ['serve', '--port', '70000']],
    ['a value nobody knows', ['put', 'fyers', 'password']],
    ['no value', ['put', 'fyers', 'access_token']],
  ] as const)('%s is wrong usage: exit code 2 and a word on stderr', async (_, args) => {
    const done = await line.run(args)
    expect(done).toMatchObject({ code: 2, stdout: '' })
    expect(done.stderr).toMatch(/error/i)
    expect(done.stderr).not.toMatch(/\n\s+at /)
  })

  test('a wrong configuration is told with each mistake, and TOKENKEEPER_NOW is refused for AWS', async () => {
    const config = line.file('cdk.json', JSON.stringify({ context: { tokenkeeper: { prefx: '/x' } } }))
    const wrong = await run(['status', '--config', config])
    expect(wrong).toMatchObject({ code: 5, stderr: expect.stringContaining('unknown key "prefx"') })
    const aws = await run(['status', '--backend', 'aws'], { env: { AWS_REGION: 'eu-west-1' } })
    expect(aws).toMatchObject({ code: 5, stderr: expect.stringContaining('TOKENKEEPER_NOW') })
    const host = await run(['status'], { env: { TOKENKEEPER_HOST_FYERS_API: 'http://fyers.example' } })
    expect(host).toMatchObject({ code: 5, stderr: expect.stringContaining('must be https') })
  })

  test('setup without a terminal stores nothing while something is missing, and names it with its variable', async () => {
    const env = line.file('partial.env', 'FYERS_CLIENT_ID=SIMFYERS01-100\n')
    const done = await run(['setup', 'fyers', '--from-env', env])
    expect(done).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('client_secret (FYERS_APP_SECRET)'),
    })
    expect(JSON.parse((await run(['status', '--json'])).stdout)).toEqual({ accounts: [] })
  })

  test('setup refuses a malformed value without repeating it', async () => {
    const env = line.file(
      'bad.env',
      'FYERS_CLIENT_ID=SIMFYERS01-100\nFYERS_APP_SECRET=x\nFYERS_PIN=canary-no-pin\n',
    )
    const done = await run(['setup', 'fyers', '--from-env', env])
    expect(done).toMatchObject({ code: 5, stderr: expect.stringContaining('it must be four digits') })
    expect(done.stderr).not.toContain('canary-no-pin')
  })
})

describe('with accounts', () => {
  test('R1.6 setup imports a .env file, keeps it out of sight, and says that the file should go', async () => {
    const done = await run(['setup', 'fyers', '--from-env', fyersEnvFile('fyers'), '--nickname', 'Asha'])
    expect(done).toMatchObject({ code: 0 })
    expect(done.stdout).toContain('still holds these values in plain text')
    expect(statSync(join(line.home, 'vault.key')).mode & 0o777).toBe(0o600)
    expect(statSync(line.home).mode & 0o077).toBe(0)
  })

  test('R3.7 setup takes what the environment holds', async () => {
    const { client_id, client_secret, pin, refresh_token } = account('fyers/BINA').secrets
    const env = {
      FYERS_CLIENT_ID: client_id,
      FYERS_APP_SECRET: client_secret,
      FYERS_PIN: pin,
      FYERS_REFRESH_TOKEN: refresh_token,
    }
    expect(await run(['setup', 'fyers/BINA'], { env })).toMatchObject({ code: 0 })
  })

  test('R0.8 setup registers an account that is managed elsewhere without asking for anything', async () => {
    expect(await run(['setup', 'iifl/SIM10002', '--managed-by', 'external'])).toMatchObject({ code: 0 })
  })

  test('R0.4 R1.8 a refresh tells of each account, then a table and the totals, without colours when piped', async () => {
    const { code, stdout, stderr } = await run(['refresh'])
    expect(stdout).toMatch(/^fyers: refreshed$/m)
    expect(stdout).toMatch(/^fyers\/BINA: login needed$/m)
    expect(stdout).toMatch(/^fyers {2,}refreshed {2,}Tue 24 Nov 06:00 IST/m)
    expect(stdout).toContain('Successful 1, failed 1, skipped 1, total 3')
    expect(stdout + stderr).not.toContain(ANSI)
    expect(stderr).toContain('What to do: log in at FYERS')
    expect(code).toBe(4)
  })

  test('R0.4 --json prints one object with the fields of the Lambda reply, and nothing else on stdout', async () => {
    const { code, stdout } = await run(['refresh', 'fyers', '--json'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      success: true,
      refreshed: 0,
      skipped: 1,
      total: 1,
      results: [
        { account: 'fyers', outcome: 'fresh', userID: 'XS00001', tokenValidity: '2026-11-24T06:00:00+05:30' },
      ],
    })
  })

  test('R0.3 --user names an IIFL user, alone or after the broker, as the account’s own name does', async () => {
    for (const args of [
      ['--user', 'SIM10002'],
      ['iifl', '--user', 'SIM10002', '--verbose'],
      ['iifl/SIM10002', '--verbose'],
    ]) {
      const { code, stdout } = await run(['refresh', ...args, '--json'])
      expect(JSON.parse(stdout).results).toMatchObject([{ account: 'iifl/SIM10002', outcome: 'skipped' }])
      expect(code).toBe(0)
    }
  })

  test('R1.1 R1.7 status tells when a token dies, what decided it, and what is wrong, on one line each when piped', async () => {
    const { stdout, code } = await run(['status'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^fyers \(Asha\) +live +Tue 24 Nov 06:00 IST +the token's own exp/m)
    expect(stdout).toMatch(/^fyers\/BINA +a person must log in .*the refresh token expired/m)
    const { accounts } = JSON.parse((await run(['status', 'fyers', '--json'])).stdout)
    expect(accounts).toMatchObject([
      { account: 'fyers', state: 'fresh', live: true, source: 'refresh_token', generation: 1 },
    ])
  })

  test('R1.8 --ascii leaves nothing but ASCII', async () => {
    await run(['setup', 'fyers', '--nickname', 'Bücher – ✓'])
    const { stdout } = await run(['status', 'fyers', '--ascii'])
    expect(stdout).toContain('fyers (Bucher - ?)')
  })

  test('setup again changes what is given and keeps the rest', async () => {
    expect((await run(['setup', 'fyers', '--leeway-minutes', '45'])).stdout).toContain('fyers is up to date')
    const { accounts } = JSON.parse((await run(['status', 'fyers', '--json'])).stdout)
    expect(accounts).toMatchObject([{ nickname: 'Bücher – ✓', generation: 1, live: true }])
  })

  test('R0.2 a paused account is left alone, and taken up again when it is resumed', async () => {
    expect(await run(['pause', 'fyers'])).toMatchObject({ code: 0, stdout: 'paused: fyers\n' })
    expect((await run(['refresh', 'fyers', '--json'])).stdout).toContain('"outcome": "paused"')
    expect(await run(['pause', 'fyers'])).toMatchObject({ code: 0, stdout: 'nothing to pause\n' })
    expect(await run(['resume', 'fyers', '--json'])).toMatchObject({ code: 0 })
    expect((await run(['refresh', 'fyers', '--json'])).stdout).toContain('"outcome": "fresh"')
  })

  test('R3.1 R3.5 put refuses an access token the broker does not accept, and what was published stays', async () => {
    const done = await run(['put', 'fyers', 'access_token'], { stdin: 'canary-of-a-dead-token\n' })
    expect(done).toMatchObject({ code: 3, stdout: '', stderr: expect.stringContaining('token is dead') })
    const { accounts } = JSON.parse((await run(['status', 'fyers', '--json'])).stdout)
    expect(accounts).toMatchObject([{ live: true, generation: 1, state: 'fresh' }])
  })

  test('R3.1 put checks other values before it stores them', async () => {
    expect(await run(['put', 'fyers', 'pin'], { stdin: 'abc' })).toMatchObject({ code: 5 })
    expect(
      await run(['put', 'fyers/BINA', 'refresh_token'], {
        stdin: line.world.fyers.refreshTokenFor('XS00002'),
      }),
    ).toMatchObject({ code: 0 })
    expect(await run(['refresh', 'fyers/BINA'], { env: laterBy(2) })).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('Solved'),
    })
  })

  test('doctor passes a sound installation and fails one whose key others can read', async () => {
    const sound = await run(['doctor', '--verbose'])
    expect(sound).toMatchObject({ code: 0 })
    expect(sound.stdout).toMatch(/^pass {2}fyers FYERS_API: .* the clocks agree$/m)
    chmodSync(join(line.home, 'vault.key'), 0o644)
    const open = await run(['doctor', '--json'])
    chmodSync(join(line.home, 'vault.key'), 0o600)
    expect(open.code).toBe(5)
    const { findings } = JSON.parse(open.stdout)
    expect(findings).toContainEqual(
      expect.objectContaining({ verdict: 'fail', fix: expect.stringContaining('chmod 600') }),
    )
  })

  test('R4.5 setup imports the config.json of a POS connector; its token is asked, not believed', async () => {
    const { base_url, email, password, vendor_id } = account('pos-connector').secrets
    const config = {
      base_url,
      email,
      password,
      vendor_id,
      token: 'canary|stale-token',
      token_expiry: '2031-01-01',
    }
    const path = line.file('config.json', JSON.stringify(config))
    const done = await run(['setup', 'pos-connector', '--from-config', path])
    expect(done).toMatchObject({ code: 0, stderr: expect.stringContaining('access_token: not stored') })
    expect(done.stdout).not.toMatch(/stored in .*access_token/)
    expect(await line.run(['token', 'pos-connector'])).toMatchObject({ code: 3, stdout: '' })
    const { stdout } = await run(['refresh', 'pos-connector', '--json'])
    expect(JSON.parse(stdout).results).toMatchObject([{ outcome: 'refreshed', userID: '7' }])

    // I2: the file of last month does not replace what has been proven since.
    const live = (await line.run(['token', 'pos-connector'])).stdout.trim()
    const again = await run(['setup', 'pos-connector', '--from-config', path, '--json'])
    expect(JSON.parse(again.stdout)).toMatchObject({ success: true, stored: [] })
    expect((await line.run(['token', 'pos-connector'])).stdout.trim()).toBe(live)
    expect(await run(['check', 'pos-connector', '--live'])).toMatchObject({ code: 0 })

    const good = line.file('live.json', JSON.stringify({ ...config, token: live }))
    const second = await run(['setup', 'pos-connector/TWO', '--from-config', good])
    expect(second).toMatchObject({ code: 0, stdout: expect.stringContaining('proven live and published') })
    expect((await line.run(['token', 'pos-connector/TWO'])).stdout.trim()).toBe(live)
    expect(await run(['remove', 'pos-connector/TWO', '--yes'])).toMatchObject({ code: 0 })
  })

  test('R4.7 doctor looks at one POS connector, and sends its password to nobody', async () => {
    const backend = line.world.servers.find(({ name }) => name === 'pos-connector')?.server
    const logins = () => backend?.seen.filter(({ path }) => path.includes('login')).length
    const before = logins()
    expect(before).toBeGreaterThan(0)
    const { code, stdout } = await run(['doctor', 'pos-connector', '--verbose'])
    expect(stdout).toMatch(/^pass {2}pos-connector: credentials are there; renews by credentials$/m)
    expect(code).toBe(0)
    expect(logins()).toBe(before)
  })

  test('R4.7 doctor --self-test plays the whole story: a token, taken, renewed, taken again, not ending soon', async () => {
    const { code, stdout } = await run(['doctor', 'pos-connector', '--self-test'], { env: laterBy(1) })
    const lines = stdout.split('\n').filter((line) => line.includes(' pos-connector: '))
    expect(lines.slice(1)).toEqual([
      expect.stringMatching(/^pass {2}pos-connector: has a token, valid until /),
      'pass  pos-connector: the broker takes it',
      expect.stringMatching(/^pass {2}pos-connector: was renewed as if it had expired, valid until /),
      'pass  pos-connector: the broker takes the new one',
      'pass  pos-connector: does not end within 30 minutes',
    ])
    expect(code).toBe(0)
  })

  test('R1.8 a refresh the broker refuses ends with exit code 3, and says what to do', async () => {
    await run(['put', 'pos-connector', 'password'], { stdin: 'canary-of-a-wrong-password' })
    const done = await run(['refresh', 'pos-connector', '--force'], { env: laterBy(2) })
    expect(done).toMatchObject({
      code: 3,
      stdout: expect.stringContaining('Successful 0, failed 1, skipped 0, total 1'),
      stderr: expect.stringContaining('store the right e-mail and password'),
    })
  })

  test('R2.5 UPSTOX_ACCOUNT_IDS registers the accounts of a token service', async () => {
    const { stdout, code } = await run(['refresh', 'upstox', '--json'], {
      env: { UPSTOX_ACCOUNT_IDS: ' DEMO1 ,' },
    })
    expect(code).toBe(0)
    expect(JSON.parse(stdout).results).toMatchObject([{ account: 'upstox/DEMO1', outcome: 'refreshed' }])
    const twice = await run(['refresh'], { env: { UPSTOX_ACCOUNT_IDS: 'DEMO1,DEMO1' } })
    expect(twice).toMatchObject({ code: 5, stderr: expect.stringContaining('twice') })
  })

  test('no output of any command above held a secret', () => {
    const said = outputs.map(({ stdout, stderr }) => stdout + stderr).join('\n')
    const secrets = line.world.accounts.flatMap(
      ({ secrets: { client_secret, password, pin, totp_secret, refresh_token } }) => [
        client_secret,
        password,
        pin,
        totp_secret,
        refresh_token,
      ],
    )
    const given = ['canary-of-a-dead-token', 'canary|stale-token', 'canary-of-a-wrong-password']
    const canaries = [...secrets, ...given].filter((one) => one !== undefined)
    expect(canaries.length).toBeGreaterThan(10)
    for (const canary of canaries) expect(said).not.toContain(canary)
    expect(said).not.toMatch(/eyJ[\w-]+\./)
  })
})
