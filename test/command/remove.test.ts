import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CommandLine } from './command.ts'

let line: CommandLine

beforeAll(async () => {
  line = await CommandLine.start()
  for (const account of ['fyers', 'fyers/BINA']) {
    await line.run(['setup', account, '--no-refresh'], {
      env: { FYERS_CLIENT_ID: 'SIMULATED01-100', FYERS_APP_SECRET: 'SIMULATED-secret' },
    })
  }
})
afterAll(() => line.close())

const accounts = async (): Promise<readonly string[]> => {
  const { stdout } = await line.run(['status', '--json'])
  return JSON.parse(stdout).accounts.map(({ account }: { account: string }) => account)
}

describe('tokenkeeper remove', () => {
  test('removes nothing where nobody can be asked and --yes was not said', async () => {
    const { code, stderr } = await line.run(['remove', 'fyers/BINA'])
    expect(code).toBe(2)
    expect(stderr).toContain('this removes fyers/BINA for good')
    expect(stderr).toContain('--yes')
    expect(await accounts()).toEqual(['fyers', 'fyers/BINA'])
  })

  test('names what it removed, and never a value', async () => {
    const { code, stdout } = await line.run(['remove', 'fyers/BINA', '--yes'])
    expect(code).toBe(0)
    expect(stdout).toBe('fyers/BINA: removed, with client_id, client_secret\n')
    expect(await accounts()).toEqual(['fyers'])
  })

  test('of an account that is not there says so', async () => {
    const { code, stderr } = await line.run(['remove', 'fyers/BINA', '--yes'])
    expect(code).toBe(2)
    expect(stderr).toContain('fyers/BINA')
  })
})
