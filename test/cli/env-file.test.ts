import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fyers } from '../../lib/brokers/fyers/fyers.ts'
import { iifl } from '../../lib/brokers/iifl/iifl.ts'
import { posConnector } from '../../lib/brokers/pos-connector/pos-connector.ts'
import { upstox } from '../../lib/brokers/upstox/upstox.ts'
import {
  assertOfUse,
  importsFromConfig,
  importsFromEnvironment,
  nearMisses,
  readEnvFile,
} from '../../lib/cli/accounts/credential-imports.ts'
import { readConfigFile } from '../../lib/cli/backend/config-file.ts'
import { parseEnvFile } from '../../lib/cli/backend/env-file.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tokenkeeper-env-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

describe('a .env file', () => {
  // Lines and what python-dotenv 1.2.4 reads of them.
  test.each([
    ['A=Abcd#1234', 'Abcd#1234'],
    ['A=Abcd #1234', 'Abcd'],
    ['A=Abcd\t# note', 'Abcd'],
    ["A='Abcd #1234' # note", 'Abcd #1234'],
    ['A="a\\"b"', 'a"b'],
    ['A="a\\\\b"', 'a\\b'],
    ['A="a\\nb"', 'a\nb'],
    ["A='a\\'b'", "a'b"],
    ["A='a\\nb'", 'a\\nb'],
    ['export A=plain', 'plain'],
    ['A = spaced ', 'spaced'],
    ['A=', ''],
    ["A=''", ''],
    ['A="x" # y', 'x'],
    ['A=#x', '#x'],
    ['A="#x"', '#x'],
    ['A= "#x" # y', '#x'],
    ['A=a"b', 'a"b'],
    ["A=a'b'", "a'b'"],
    ['  A=indented', 'indented'],
    ['A=a=b=c', 'a=b=c'],
    ['A', undefined],
    ["'A'=quoted name", 'quoted name'],
    ['A=trailing\\', 'trailing\\'],
    ['A=$HOME', '$HOME'],
    ['A=p@$$w0rd!', 'p@$$w0rd!'],
    ['A=a b c', 'a b c'],
  ])('is read as python-dotenv reads it: %s', (line, value) => {
    expect(parseEnvFile(`# first\n${line}\n`, '.env')['A']).toBe(value)
  })

  test.each([
    ['A="SIMULATED-open', 'its quote is not closed'],
    ["A='SIMULATED-open", 'its quote is not closed'],
    ['A="SIMULATED"tail', 'something stands behind the closing quote'],
    [`A=SIMULATED${'$'}{B}`, 'it refers to another variable'],
    [`A="SIMULATED${'$'}{B}"`, 'it refers to another variable'],
    ['export A=SIMULATED B=2', 'it seems to set several variables'],
    ['A= #SIMULATED', 'what begins with # may be its value or a comment'],
    ['A=\t#SIMULATED # note', 'what begins with # may be its value or a comment'],
    ['A=\u201cSIMULATED\u201d', 'it begins with a curly quote'],
  ])('with a line that can be read in more than one way is refused by line and doubt: %s', (line, doubt) => {
    const read = () => parseEnvFile(`B=1\n\n${line}\n`, '.env')
    expect(read).toThrow(`line 3 of .env can be read in more than one way: ${doubt}`)
    expect(read).not.toThrow('SIMULATED')
  })

  test('may have a byte-order mark, or be UTF-16 by its mark; bytes of another encoding are told by their line', () => {
    const text = 'FYERS_PIN=1234\r\n'
    expect(readEnvFile(file('bom', `\ufeff${text}`))).toEqual({ FYERS_PIN: '1234' })
    const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')])
    expect(readEnvFile(file('utf16', utf16))).toEqual({ FYERS_PIN: '1234' })
    const latin1 = file('latin1', Buffer.from('A=1\nFYERS_PIN=caf\u00e9\n', 'latin1'))
    expect(() => readEnvFile(latin1)).toThrow(/is no UTF-8 text: see line 2/)
  })

  test('with none of the broker’s variables is no success, and its slips are named', () => {
    const values = { IIFL_REDIRECT_URI: 'https://x.invalid', OTHER: '1' }
    expect(() => assertOfUse(iifl, values, '.env')).toThrow(
      '.env has none of the variables of IIFL Capital; it has IIFL_REDIRECT_URI (IIFL_REDIRECT_URL?)',
    )
    expect(nearMisses(iifl, { ...values, IIFL_USER_ID: 'SIM' })).toEqual([
      'IIFL_REDIRECT_URI (IIFL_REDIRECT_URL?)',
    ])
    expect(() => assertOfUse(iifl, { IIFL_USER_ID: 'SIM' }, '.env')).not.toThrow()
    expect(() => assertOfUse(upstox, { UPSTOX_ACCOUNT_IDS: 'ACC1' }, '.env')).not.toThrow()
  })

  test('quotes that docker hands over are none of the value', () => {
    const imports = importsFromEnvironment(
      fyers,
      { FYERS_PIN: '"1234"', FYERS_CLIENT_ID: "'SIM-100'" },
      'here',
    )
    expect(imports.get('pin')?.value.reveal()).toBe('1234')
    expect(imports.get('client_id')?.value.reveal()).toBe('SIM-100')
  })
})

describe('JSON as people save it', () => {
  test('may have a byte-order mark', () => {
    const path = file('config.json', '\ufeff{"email":"pos@example.invalid"}')
    expect(importsFromConfig(posConnector, path).get('email')?.value.reveal()).toBe('pos@example.invalid')
  })

  test('is taken for brokers that have such a file, and by the keys theirs has', () => {
    const path = file('keys.json', '{"vendor_id":17,"password":null,"token":"SIM-token","other":1}')
    const values = [...importsFromConfig(posConnector, path)].map(([name, { value }]) => [
      name,
      value.reveal(),
    ])
    expect(values).toEqual([
      ['vendor_id', '17'],
      ['access_token', 'SIM-token'],
    ])
    expect(() => importsFromConfig(fyers, path)).toThrow('FYERS has no config.json to take values from')
    const wrong = file('wrong.json', '{"email":["x"],"password":1234}')
    expect(() => importsFromConfig(posConnector, wrong)).toThrow(/can be imported: email, password$/)
  })

  test.each([
    ['[]', 'is no JSON object but a list'],
    ['{"context":[]}', '"context" in'],
    ['{"context":"x"}', 'but a value'],
  ])('a cdk.json of %s is refused, not taken for empty', (text, said) => {
    expect(() => readConfigFile(file('cdk.json', text))).toThrow(said)
  })
})
