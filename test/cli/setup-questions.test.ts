import { afterEach, expect, test, vi } from 'vitest'
import { posConnector } from '../../lib/brokers/pos-connector/pos-connector.ts'
import { askForMissing } from '../../lib/cli/accounts/credential-questions.ts'

/** What the terminal library was asked to show, and how; it gives these answers. */
const asked: { readonly kind: string; readonly message: string; readonly shown: string }[] = []
const answers = new Map([
  ['address', 'https://pos.example.invalid/'],
  ['e-mail', 'asha@example.invalid'],
  ['password', 'Simulated-Passw0rd'],
])

vi.mock('@clack/prompts', () => {
  const prompt =
    (kind: string) =>
    async ({ message, initialValue = '' }: { message: string; initialValue?: string }): Promise<string> => {
      asked.push({ kind, message, shown: initialValue })
      const known = [...answers].find(([word]) => message.toLowerCase().includes(word))
      return known?.[1] ?? ''
    }
  return {
    text: prompt('text'),
    password: prompt('password'),
    isCancel: () => false,
  }
})

afterEach(() => void asked.splice(0))

test('R4.6 setup asks for the password where nothing of it is shown, and for the rest in the open', async () => {
  const given = await askForMissing(posConnector, new Map(), new Map())
  const hidden = asked.filter(({ kind }) => kind === 'password')
  expect(hidden).toHaveLength(1)
  expect(hidden[0]?.message).toMatch(/password/i)
  expect(asked).toHaveLength(posConnector.credentials.length)
  expect(given.get('password')?.reveal()).toBe('Simulated-Passw0rd')
  expect(given.get('email')?.reveal()).toBe('asha@example.invalid')
  expect(JSON.stringify(asked)).not.toContain('Simulated-Passw0rd')
})

test('R4.6 setup again does not show what is stored where it is hidden', async () => {
  const stored = await askForMissing(posConnector, new Map(), new Map())
  asked.splice(0)
  const secrets = new Map(
    [...stored].map(([name, value]) => [name, { value, version: 1, modifiedAt: undefined as never }]),
  )
  await askForMissing(posConnector, new Map(), secrets)
  expect(asked.find(({ kind }) => kind === 'password')).toMatchObject({
    message: expect.stringContaining('Enter keeps the stored one'),
    shown: '',
  })
  expect(JSON.stringify(asked)).not.toContain('Simulated-Passw0rd')
})
