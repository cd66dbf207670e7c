import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openDatabase } from '../../lib/local/database.ts'
import { filesOf } from '../../lib/local/files.ts'
import { sqliteStateStore } from '../../lib/local/sqlite-state-store.ts'
import { parseAccountId } from '../../lib/model/account-id.ts'
import { changed } from '../../lib/model/account-state.ts'
import { ROOT } from '../support/server-files.ts'
import { CommandLine } from './command.ts'
import { type Serving, serving } from './serving.ts'
import { setUp } from './set-up.ts'

/** The rows of the manual: what is seen, the command, what it says. */
const rows = [
  ...readFileSync(join(ROOT, 'lib/cli/README.md'), 'utf8').matchAll(
    /^\| ([^|]+) \| `tokenkeeper ([^`|]+)` \| `([^`|]+)` \| [^|]+ \|$/gm,
  ),
].map(([, sees = '', command = '', says = '']) => ({ sees, command, says }))

let line: CommandLine
let serve: Serving | undefined

beforeEach(async () => {
  line = await CommandLine.start()
})
afterEach(async () => {
  await serve?.stop()
  serve = undefined
  await line.close()
})

const run = (...args: string[]) => line.run(args)
const FYERS = parseAccountId('fyers')

/** An account that renews itself, with its token, past the least pause between two logins. */
async function fyers(): Promise<void> {
  await setUp(line, 'fyers')
  await run('refresh', 'fyers')
  line.clock.advance(61)
}

function fyersAnswers502(): void {
  const simulator = line.world.servers.find(({ name }) => name === 'fyers')?.server
  for (let call = 0; call < 10; call++) {
    simulator?.failNext('/', { kind: 'reply', status: 502, body: '<html>502</html>' })
  }
}

/** As a process that is at work leaves it. */
async function held(): Promise<void> {
  const database = openDatabase(filesOf(line.home).database)
  const states = sqliteStateStore(database)
  const state = await states.get(FYERS)
  const takenAt = line.clock.now()
  const lease = { owner: 'another', takenAt, until: takenAt.add({ minutes: 5 }) }
  if (state) await states.replace(changed(state, { lease }))
  database.close()
}

/** How each row comes about; `undefined` for what no simulator does: its words are looked for in the source. */
const brought: Readonly<Record<string, (() => Promise<unknown>) | undefined>> = {
  'a program’s token is refused (401)': async () => {
    await fyers()
    line.world.fyers.killAccessToken('XS00001')
  },
  'it says live, and you doubt it': fyers,
  'no token, and nobody was asked': async () => {
    await setUp(line, 'zerodha')
    await run('refresh')
  },
  'the same, on a holiday or at night': async () => {
    await setUp(line, 'zerodha')
    // Friday evening.
    line.clock.advance((4 * 24 + 13) * 60)
    await run('refresh')
  },
  'the same, of an account somebody put aside': async () => {
    await setUp(line, 'fyers')
    await run('pause', 'fyers')
  },
  'the login page does not open': () => setUp(line, 'zerodha'),
  'something failed, and you were not there': async () => {
    await fyers()
    fyersAnswers502()
    await run('refresh', 'fyers', '--force')
  },
  '`serve` is down': () => setUp(line, 'fyers'),
  '`serve` does not start': async () => {
    await setUp(line, 'zerodha')
    serve = await serving(line)
  },
  'the broker is down': async () => {
    await fyers()
    fyersAnswers502()
  },
  'a stored PIN or password was refused': async () => {
    await setUp(line, 'fyers')
    await line.run(['put', 'fyers', 'pin'], { stdin: '9999' })
    await run('refresh')
  },
  'the broker has locked the user': undefined,
  'a run is at it already': async () => {
    await fyers()
    await held()
  },
  'nothing of this': () => setUp(line, 'fyers'),
}

test('each row of the manual is one of these', () => {
  expect(rows.map(({ sees }) => sees.replaceAll("'", '’'))).toEqual(Object.keys(brought))
})

describe.each(rows)('$sees: $command', ({ sees, command, says }) => {
  test(`says "${says}"`, async () => {
    const bring = brought[sees.replaceAll("'", '’')]
    if (!bring) return expect(readFileSync(join(ROOT, 'lib/brokers/iifl/errors.ts'), 'utf8')).toContain(says)
    await bring()
    const { stdout, stderr } = await run(...command.split(' '))
    expect(`${stdout}${stderr}`.replace(/\s+/g, ' ').replaceAll(/node \S+\.mjs/g, 'tokenkeeper')).toContain(
      says,
    )
  })
})
