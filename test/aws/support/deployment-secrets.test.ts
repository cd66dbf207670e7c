import { expect, test } from 'vitest'
import { leaksIn } from './deployment-secrets.ts'

const SECRET = 'eyJ.invented "token"/+=?'
const PIN = '0412'

function isFound(text: string, value: string): boolean {
  return leaksIn([{ where: 'here', text }], { name: value }).length > 0
}

test.each([
  ['in clear', `before ${SECRET} after`],
  ['in JSON', JSON.stringify({ SECRET })],
  ['in JSON within JSON', JSON.stringify(JSON.stringify({ SECRET }))],
  ['in a URL', `https://127.0.0.1/?token=${encodeURIComponent(SECRET)}`],
  ['in a form', new URLSearchParams({ SECRET }).toString()],
  ['in base64', Buffer.from(SECRET).toString('base64')],
  ['in base64 after one byte', Buffer.from(`a${SECRET}z`).toString('base64')],
  ['in base64 after two bytes', Buffer.from(`ab${SECRET}z`).toString('base64')],
  ['in base64 for URLs', Buffer.from(`a:${SECRET}`).toString('base64url')],
])('the search finds a secret %s', (_, text) => {
  expect(isFound(text, SECRET)).toBe(true)
})

test.each([
  '{"pin":"0412"}',
  '{\\"pin\\":\\"0412\\"}',
  "{ pin: '0412' }",
  'pin=0412&grant_type=x',
  'PIN=0412\n',
  'ENCRYPTED:MDQxMg==',
])('the search finds a PIN in %s', (text) => {
  expect(isFound(text, PIN)).toBe(true)
})

test('the search does not take other numbers for a PIN', () => {
  expect(isFound('{"ms":20412} 0412 ms, 10412', PIN)).toBe(false)
})

test('a leak is named by place and secret, without the value', () => {
  expect(leaksIn([{ where: 'a log', text: SECRET }], { 'the token': SECRET, other: 'not-in-it' })).toEqual([
    { where: 'a log', secret: 'the token' },
  ])
})
