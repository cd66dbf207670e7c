import { expect, test } from 'vitest'
import { brokersAbroad, marksIn } from './broker-facts.ts'

/** What may be said of a single broker elsewhere, and why. Nothing here decides anything. */
const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  // Help texts, for people who know one of the brokers.
  'lib/cli/program-commands.ts': ['UPSTOX_ACCESS_TOKEN', 'UPSTOX_ACCESS_TOKEN'],
  // Advice where no account is set up whose name could be put into the command.
  'lib/cli/login/accounts.ts': ["'fyers'"],
  'lib/cli/program/source.ts': ["'fyers'"],
  'lib/cli/program/token.ts': ["'upstox'"],
  // Examples in the OpenAPI file.
  'lib/rest/routes/route.ts': ["'upstox'"],
  'lib/rest/routes/schemas.ts': ["'upstox/ACC1'"],
  // The shape of an event, in a message.
  'functions/runtime/refresh/event.ts': ['"iifl/28748327"'],
}

test('what is known of a broker is in its folder, its simulator and its function: elsewhere it is an example', () => {
  expect(Object.fromEntries(brokersAbroad())).toEqual(EXAMPLES)
})

test.each([
  ["const RULES = { 'iifl-xts': rule }", "'iifl-xts'"],
  ['const APIS = {\n  fyers: { hosts: [] },\n}', 'fyers'],
  ["if (broker.id === 'zerodha') return", "'zerodha'"],
  [`const id = \`upstox/${'$'}{name}\``, `\`upstox/${'$'}{`],
  [`const path = \`${'$'}{prefix}/iifl/pin\``, '/iifl/'],
  ['const { leewayMinutes } = config.brokers.upstox', 'upstox'],
  ["import { fyers } from '../brokers/fyers/fyers.ts'", 'brokers/fyers/fyers.ts'],
  ["const HOST = 'TOKEN_SERVICE' // a host", 'TOKEN_SERVICE'],
  ["env['KITE_API_KEY']", 'KITE_API_KEY'],
] as const)('%s is found', (source, mark) => expect(marksIn(source)).toContain(mark))

test.each([
  ' * FYERS and Upstox, such as `upstox/ACC1`',
  "// written 'iifl' by the guide",
  "const PREFIX = 'TOKENKEEPER_HOST_'",
  `fix: \`run tokenkeeper setup ${'$'}{account}\``,
])('%s is none', (source) => expect(marksIn(source)).toEqual([]))
