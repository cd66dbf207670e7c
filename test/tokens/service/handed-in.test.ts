import { expect, test } from 'vitest'
import { Secret } from '../../../lib/model/secrets/secret.ts'
import { slipIn } from '../../../lib/tokens/service/handed-in.ts'

const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJTSU0ifQ.c2ln'

test.each([
  [`"${JWT}"`, 'leave the quotes out'],
  [`\u201c${JWT}\u201d`, 'leave the quotes out'],
  [`Bearer ${JWT}`, 'leave out everything before the token itself'],
  [`access_token=${JWT}`, 'leave out the name and the equals sign'],
  [`ABCDEFGH12-100:${JWT}`, 'leave out the app id and the colon'],
  [JWT.slice(0, 30), 'copy it again, whole'],
])('what somebody copied along is named, and the token is not: %#', (text, fix) => {
  const slip = slipIn(new Secret(text))
  expect(slip?.fix).toBe(fix)
  expect(JSON.stringify(slip)).not.toContain('eyJ')
})

test.each([JWT, '17|simulatedplaintexttoken0000', 'simkiteaccesstoken0000000000001', 'abc+/def=='])(
  'a token of any make is none of it: %s',
  (text) => expect(slipIn(new Secret(text))).toBeUndefined(),
)
