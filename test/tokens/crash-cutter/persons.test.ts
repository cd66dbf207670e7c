import { describe, test } from 'vitest'
import { ADOPTIONS } from './adoption-scenarios.ts'
import { APPROVALS } from './approval-scenarios.ts'
import { LOGINS } from './login-scenarios.ts'
import { Tally } from './tally.ts'
import { storiesOf } from './troubles.ts'

const tally = new Tally('logins, approvals and tokens handed in')

describe('killed at every call, a login breaks no promise:', () => {
  test.each(storiesOf(LOGINS))('%s', (...story) => tally.play(story))
})

describe('killed at every call, an approval breaks no promise:', () => {
  test.each(storiesOf(APPROVALS))('%s', (...story) => tally.play(story))
})

describe('killed at every call, taking a token breaks no promise:', () => {
  test.each(storiesOf(ADOPTIONS))('%s', (...story) => tally.play(story))
})
