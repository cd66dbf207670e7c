import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, describe, expect, test } from 'vitest'
import { ClientRejectedError, HumanActionError, RateLimitedError } from '../../lib/model/errors.ts'
import { forgetSecrets, maskSecrets, Secret } from '../../lib/model/secrets/secret.ts'

const MASK = '[secret]'
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

describe('what a long-lived process has dropped', () => {
  const gc = gcHere()
  /** One text with all of them, and how many of them are blanked out in it. */
  const masked = (values: readonly string[]) => maskSecrets(values.join(' ')).split(MASK).length - 1
  const random = () => randomBytes(24).toString('hex')
  const droppedSecrets = () =>
    Array.from({ length: 1_500 }, () => {
      const value = random()
      new Secret(value)
      return value
    })
  /** When all but the last few hundred are forgotten; a busy machine takes its time to collect them. */
  const collection = async (dropped: readonly string[]): Promise<void> => {
    do {
      gc()
      await new Promise((resolve) => setImmediate(resolve))
    } while (masked(dropped) > 500)
  }

  test('is collected but for the last few hundred, and what is still held never', async () => {
    const held = Array.from({ length: 100 }, () => new Secret(random()))
    const again = random()
    new Secret(again)
    const dropped = droppedSecrets()
    const last = new Secret(again)
    await collection(dropped)
    expect(masked(dropped)).toBeGreaterThan(0)
    expect(masked(held.map((secret) => secret.reveal()))).toBe(100)
    expect(maskSecrets(last.reveal())).toBe(MASK)
  })

  test('does not unmask what was loaded anew after it was forgotten', async () => {
    const values = Array.from({ length: 2_000 }, random)
    for (const value of values) new Secret(value)
    forgetSecrets()
    const held = values.map((value) => new Secret(value))
    // These are collected after the others, and told of in the same order.
    await collection(droppedSecrets())
    expect(masked(values)).toBe(held.length)
  })
})

/** V8's own collector, which node hides unless it is started with --expose-gc. */
function gcHere(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}

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
