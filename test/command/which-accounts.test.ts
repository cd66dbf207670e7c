import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { openDatabase } from '../../lib/local/database.ts'
import { filesOf } from '../../lib/local/files.ts'
import { sqliteStateStore } from '../../lib/local/sqlite-state-store.ts'
import { type AccountId, brokerOf } from '../../lib/model/account-id.ts'
import { CommandLine, type Ended } from './command.ts'
import { onTerminal } from './set-up.ts'

/** A broker with a default account, one with several and no default, one with a single account by name. */
const ACCOUNTS = ['fyers', 'fyers/BINA', 'zerodha/ZA05', 'zerodha/ZB06', 'iifl/SIM10002']

let line: CommandLine

beforeAll(async () => {
  line = await CommandLine.start()
  for (const account of ACCOUNTS) await line.run(['setup', account, '--managed-by', 'external'])
})
afterAll(() => line.close())

const run = (...args: string[]): Promise<Ended> => line.run(args)

/** What is set up, and what of it is paused, as the store has it. */
async function present(): Promise<{
  readonly there: readonly string[]
  readonly paused: readonly string[]
}> {
  const database = openDatabase(filesOf(line.home).database)
  try {
    const [there, paused]: [string[], string[]] = [[], []]
    for (const broker of new Set(ACCOUNTS.map((account) => brokerOf(account as AccountId)))) {
      for await (const state of sqliteStateStore(database).list(broker)) {
        there.push(state.account)
        if (state.paused) paused.push(state.account)
      }
    }
    return { there: there.toSorted(), paused: paused.toSorted() }
  } finally {
    database.close()
  }
}

/** As nothing has touched any of them. */
const UNTOUCHED = { there: ACCOUNTS.toSorted(), paused: [] }

/** Every command that takes account ids, with what else it has to be given. */
const COMMANDS: readonly (readonly [string, ...string[]])[] = [
  ['refresh'],
  ['status'],
  ['check'],
  ['login'],
  ['doctor'],
  ['pause'],
  ['resume'],
  ['remove', '--yes'],
  ['token'],
  ['exec', '--', 'true'],
  ['put', 'access_token'],
]

const called = (account: string, [name, ...rest]: readonly string[]): Promise<Ended> =>
  line.run([name as string, account, ...rest], { stdin: 'a-token-of-nobody' })

describe.each(COMMANDS)('%s', (...command) => {
  test('an account there is not is wrong usage, with what was probably meant', async () => {
    const done = await called('zerodha/ZA5', command)
    expect(done).toMatchObject({ code: 2, stdout: '' })
    expect(done.stderr).toContain('zerodha/ZA5 is not set up; nothing was done')
    expect(done.stderr).toContain('Fix: did you mean zerodha/ZA05?')
  })

  test('a broker there is not is, too', async () => {
    const done = await called('zerodah', command)
    expect(done).toMatchObject({ code: 2, stderr: expect.stringContaining('did you mean zerodha?') })
  })

  test('a broker alone that has several accounts and no default one is refused, and they are named', async () => {
    const done = await called('zerodha', command)
    expect(done).toMatchObject({ code: 2, stdout: '' })
    expect(done.stderr).toContain('zerodha/ZA05, zerodha/ZB06')
  })

  test('and afterwards everything is as it was', async () => {
    expect(await present()).toEqual(UNTOUCHED)
  })
})

describe('a broker alone', () => {
  afterEach(() => run('resume', '--all', '--yes'))

  test('is its default account and no other', async () => {
    expect(await run('pause', 'fyers')).toMatchObject({ code: 0, stdout: 'paused: fyers\n' })
    const refreshed = JSON.parse((await run('refresh', 'fyers', '--json')).stdout)
    expect(refreshed.results).toMatchObject([{ account: 'fyers' }])
  })

  test('is its only account where there is no other', async () => {
    expect(await run('pause', 'iifl')).toMatchObject({ code: 0, stdout: 'paused: iifl/SIM10002\n' })
    const { accounts } = JSON.parse((await run('status', 'iifl', '--json')).stdout)
    expect(accounts).toMatchObject([{ account: 'iifl/SIM10002' }])
  })
})

describe('several accounts', () => {
  test.each(['pause', 'remove'])('%s does nothing to any when one is not there', async (command) => {
    const done = await run(
      command,
      'zerodha/ZA05',
      'zerodha/NOPE',
      ...(command === 'remove' ? ['--yes'] : []),
    )
    expect(done).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('zerodha/NOPE is not set up'),
    })
    expect(await present()).toEqual(UNTOUCHED)
  })
})

describe('--all', () => {
  test.each(['pause', 'resume', 'remove'])('%s wants somebody to agree, or --yes', async (command) => {
    const done = await run(command, '--all')
    expect(done).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('add --yes') })
    expect(done.stderr).toContain('fyers, fyers/BINA, iifl/SIM10002, zerodha/ZA05, zerodha/ZB06')
    expect(await present()).toEqual(UNTOUCHED)
  })

  test('asks on a terminal, and does nothing when the answer is no', async () => {
    const done = await onTerminal(line, ['pause', 'zerodha', '--all'], { stopAfter: 'Go on?' })
    expect(done.stdout).toContain('This pauses zerodha/ZA05, zerodha/ZB06. Go on?')
    expect(done.code).toBe(130)
    expect(await present()).toEqual(UNTOUCHED)
  })

  test('takes all of the brokers that are named, and none of the others', async () => {
    const done = await run('pause', 'zerodha', 'iifl', '--all', '--yes', '--json')
    expect(JSON.parse(done.stdout).paused.toSorted()).toEqual([
      'iifl/SIM10002',
      'zerodha/ZA05',
      'zerodha/ZB06',
    ])
    expect((await present()).paused).toEqual(['iifl/SIM10002', 'zerodha/ZA05', 'zerodha/ZB06'])
    const refreshed = JSON.parse((await run('refresh', 'zerodha', '--all', '--json')).stdout)
    expect(refreshed).toMatchObject({ total: 2, skipped: 2 })
    await run('resume', '--all', '--yes')
  })

  test('does not go with a single account', async () => {
    const done = await run('pause', 'zerodha/ZA05', '--all', '--yes')
    expect(done).toMatchObject({ code: 2, stderr: expect.stringContaining('zerodha/ZA05 is one') })
  })

  test.each(['pause', 'resume', 'remove'])('has to be said: %s alone is wrong usage', async (command) => {
    expect(await run(command)).toMatchObject({ code: 2, stderr: expect.stringContaining('--all') })
  })
})
