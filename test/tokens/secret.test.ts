import { inspect } from 'node:util'
import { afterEach, describe, expect, test } from 'vitest'
import { ClientRejectedError, HumanActionError, RateLimitedError } from '../../lib/tokens/errors.ts'
import { forgetSecrets, maskSecrets, Secret } from '../../lib/tokens/secret.ts'

const VALUE = 'sim.canary/secret+value=='
const secret = new Secret(VALUE)

afterEach(() => void new Secret(VALUE))

describe('a Secret', () => {
  test.each([
    ['String()', String(secret)],
    ['a template', `${secret}`],
    ['concatenation', `x${secret as unknown as string}`],
    ['JSON', JSON.stringify({ secret, nested: [secret] })],
    ['inspect', inspect({ secret }, { depth: 9, showHidden: true })],
    ['spreading', JSON.stringify({ ...secret })],
    ['Object.values', inspect(Object.values(secret))],
    ['structured clone', inspect(structuredClone({ ...secret }))],
  ])('cannot be printed by %s', (_, text) => expect(text).not.toContain('canary'))

  test('reveals its value only when asked', () => {
    expect(secret.reveal()).toBe(VALUE)
    expect(secret.length).toBe(VALUE.length)
  })
})

describe('maskSecrets', () => {
  test.each([VALUE, encodeURIComponent(VALUE), Buffer.from(VALUE).toString('base64')])(
    'blanks out %#',
    (form) => {
      expect(maskSecrets(`before ${form} after`)).toBe('before [secret] after')
    },
  )

  test('leaves no tail of a secret that begins with another one', () => {
    new Secret('sim-canary')
    new Secret('sim-canary-and-its-tail')
    expect(maskSecrets('before sim-canary-and-its-tail after')).toBe('before [secret] after')
  })

  test('forgets when told to, so that a long-lived process does not collect values', () => {
    forgetSecrets()
    expect(maskSecrets(VALUE)).toBe(VALUE)
  })
})

describe('errors', () => {
  test('keep their cause out of dumps and take a broker code only when it is one', () => {
    const error = new ClientRejectedError('refused', {
      brokerCode: `a sentence with ${VALUE}`,
      cause: new Error(VALUE),
    })
    expect(error.brokerCode).toBeUndefined()
    expect(error.cause).toBeInstanceOf(Error)
    expect(JSON.stringify(error) + JSON.stringify({ ...error })).not.toContain('canary')
    expect(inspect({ error }, { depth: 9, showHidden: true })).not.toContain('canary')
    expect(inspect(error)).toContain('client_rejected')
    expect(new ClientRejectedError('refused', { brokerCode: '-371' }).brokerCode).toBe('-371')
  })

  test('say who acts and whether a run may repeat', () => {
    expect(new RateLimitedError('slow down', { retryAfterSeconds: 5 })).toMatchObject({
      code: 'rate_limited',
      actor: 'next_run',
      retryable: true,
      name: 'RateLimitedError',
    })
    expect(new HumanActionError('wrong PIN', { problem: 'wrong_secret' })).toMatchObject({
      actor: 'person',
      retryable: false,
    })
  })
})
