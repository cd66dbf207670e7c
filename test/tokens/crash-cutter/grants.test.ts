import { describe, test } from 'vitest'
import { GRANTS, HURRIED, KILLED_TWICE, runsWith } from './grant-scenarios.ts'
import { Tally } from './tally.ts'
import { storiesOf, VAULT_DOWN } from './troubles.ts'

const tally = new Tally('runs with each grant')

describe.each(GRANTS)('a run with $title, killed at every call, breaks no promise:', (kind) => {
  test.each(storiesOf(runsWith(kind)))('%s', (...story) => tally.play(story))
})

describe('a run killed at every call breaks no promise:', () => {
  test.each(storiesOf(KILLED_TWICE))('%s', (...story) => tally.play(story))

  test('a run that is stopped before the vault takes the new refresh token', () =>
    tally.play(['', HURRIED, VAULT_DOWN]))
})
