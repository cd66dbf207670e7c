import { describe, expect, test } from 'vitest'
import { fyersLogin } from '../../../lib/brokers/fyers/login.ts'
import { zerodhaLogin } from '../../../lib/brokers/zerodha/login.ts'
import { readPasted } from '../../../lib/tokens/login/pasted-login.ts'

const STATE = 'one-time-state.ZnllcnM'
const LANDED = `https://trade.fyers.in/api-login/redirect-to-app?s=ok&code=200&auth_code=sim.auth.code&state=${STATE}`
const REDIRECT = 'https://trade.fyers.in/api-login/redirect-to-app'
const QUERY = LANDED.split('?')[1]

describe('what a person pastes after a login', () => {
  test.each([
    ['the whole address', LANDED],
    ['with blanks around it', `  ${LANDED}\n`],
    ['in quotes', `"${LANDED}"`],
    ['in the brackets of a mail', `<${LANDED}>`],
    ['without a scheme, as iOS copies it', LANDED.replace('https://', '')],
    ['in straight single quotes', `'${LANDED}'`],
    ['in smart quotes', `\u201c${LANDED}\u201d`],
    ['in backticks', `\`${LANDED}\``],
    ['in a code fence', `\`\`\`\n${LANDED}\n\`\`\``],
    ['as a markdown link', `[the page](${LANDED})`],
    ['as a JSON string', JSON.stringify(LANDED).replaceAll('&', '\\u0026')],
    ['escaped for HTML', LANDED.replaceAll('&', '&amp;')],
    ['broken over lines by a mail', LANDED.replace('&state', '\r\n&state')],
    ['with a byte-order mark', `\ufeff${LANDED}`],
    ['with one quote left', `${LANDED}"`],
    ['its query alone', QUERY],
    ['its query with the question mark', `?${QUERY}`],
  ])('%s is the end of the login whose state it has', (_, text) => {
    expect(readPasted(text ?? '', fyersLogin, () => REDIRECT)).toEqual({
      kind: 'redirect',
      query: QUERY,
      state: STATE,
    })
  })

  test.each([
    ['a bare code', 'sim.auth.code'],
    ['the parameter alone', 'auth_code=sim.auth.code'],
    ['an address that names no state', `${REDIRECT}?s=ok&code=200&auth_code=sim.auth.code`],
  ])('%s is a code', (_, text) => {
    expect(readPasted(text, fyersLogin)).toEqual({ kind: 'code', code: 'sim.auth.code' })
  })

  test('FYERS’ own "code", which is a status, is none', () => {
    expect(readPasted(`${REDIRECT}?s=ok&code=200`, fyersLogin)).toMatchObject({ kind: 'useless' })
  })

  test.each([
    ['nothing', ' '],
    ['a sentence', 'I could not log in'],
    ['another page', 'https://trade.fyers.in/help'],
    ['half an address', 'https://trade.fyers.in'],
    ['a mail address', 'sim@example.invalid'],
    ['a JWT that was cut', 'eyJhbGciOiJIUzI1NiJ9.eyJleHAi'],
    ['more than any address holds', `${REDIRECT}?auth_code=${'x'.repeat(9_000)}`],
  ])('%s is of no use, and is not repeated', (_, text) => {
    const read = readPasted(text, fyersLogin)
    expect(read.kind).toBe('useless')
    if (text.trim() !== '') expect(JSON.stringify(read)).not.toContain(text.trim())
  })

  test('a page on the way to the end is told from the end itself, where the login may have been refused', () => {
    const early = `https://kite.zerodha.com/connect/login?v=3&state=${STATE}`
    const end = 'https://example.invalid/callback'
    const refused = `${end}/?action=login&status=cancelled&state=${STATE}`
    expect(readPasted(early, zerodhaLogin, () => end)).toMatchObject({ kind: 'useless' })
    expect(readPasted(refused, zerodhaLogin, () => end)).toMatchObject({ kind: 'redirect' })
  })
})
