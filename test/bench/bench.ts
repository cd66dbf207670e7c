/**
 * `npm run bench` measures the deployed bundle against a hand-written handler on the same emulator and the same
 * simulated broker, in one run and in pairs; `-- --json` prints one JSON object. Ratios travel between machines,
 * milliseconds do not.
 */
import { parseArgs } from 'node:util'
import { makeEnvironment } from '../aws/support/python-environment.ts'
import { clientOverhead } from './client-overhead.ts'
import { clientStorm } from './client-storm.ts'
import { coldStartMs, paired, startContainer } from './measure.ts'
import { type Latency, type Stage, setStage } from './stage.ts'

const WARM_PAIRS = 40
const WARM_UPS = 5
const COLD_PAIRS = 15
const MANY_ACCOUNTS = 200
/** What the simulated broker takes in the run that stands for the real world: invented, and stated with the figure. */
const REALISTIC: Latency = { mintMs: 300, readMs: 40 }
const NONE: Latency = { mintMs: 0, readMs: 0 }

/** What this project promises; a run that misses one ends with exit code 1. */
const GOALS = [
  { figure: 'warmRatio', atMost: 1.25 },
  { figure: 'coldRatio', atMost: 1.6 },
  { figure: 'ssmReadsPerRefresh', atMost: 1 },
  { figure: 'ssmWritesPerRefresh', atMost: 1 },
  { figure: 'ssmWritesPerRefreshWithRotation', atMost: 2 },
  // The record; and once in a quarter of an hour what the owner says of trading days.
  { figure: 'dynamoReadsPerRefresh', atMost: 2 },
  { figure: 'dynamoWritesPerRefresh', atMost: 2 },
  { figure: 'callsPerFreshAccount', atMost: 2 },
  // The function has 256 MB.
  { figure: 'rssAfterManyAccountsMb', atMost: 230 },
  { figure: 'clientOverheadPercent', atMost: 5 },
  { figure: 'stormRenewals', atMost: 1 },
] as const

const { values: options } = parseArgs({ options: { json: { type: 'boolean', default: false } } })
const say = (text: string): void => void (options.json || process.stderr.write(`${text}\n`))

makeEnvironment((text) => process.stderr.write(`${text}\n`))
const stage = await setStage(4 * (WARM_PAIRS + WARM_UPS) + MANY_ACCOUNTS + 10)
try {
  say(`Warm refreshes, ${WARM_PAIRS} pairs each ...`)
  const warm = await warmRefresh(stage, REALISTIC)
  const bare = await warmRefresh(stage, NONE)
  say(`Cold starts, ${COLD_PAIRS} pairs ...`)
  const cold = await paired(
    COLD_PAIRS,
    async () => coldStartMs(stage.bundles.ours, stage.environment),
    async () => coldStartMs(stage.bundles.handWritten, stage.environment),
  )
  say('Calls to AWS ...')
  const calls = await countCalls(stage)
  say(`${MANY_ACCOUNTS} accounts in one invocation ...`)
  const many = await manyAccounts(stage)
  say('Calls through the client, and 500 programs that are refused at once ...')
  const client: Record<string, number> = { ...(await clientOverhead()), ...(await clientStorm()) }
  const figures: Readonly<Record<string, unknown>> = {
    warmRatio: round(warm.ratio),
    warmMs: round(warm.a),
    warmHandWrittenMs: round(warm.b),
    warmBrokerLatencyMs: REALISTIC,
    warmRatioWithoutLatency: round(bare.ratio),
    warmMsWithoutLatency: round(bare.a),
    warmHandWrittenMsWithoutLatency: round(bare.b),
    coldRatio: round(cold.ratio),
    coldMs: round(cold.a),
    coldHandWrittenMs: round(cold.b),
    ...calls,
    ...many,
    ...Object.fromEntries(Object.entries(client).map(([name, value]) => [name, round(value)])),
  }
  const missed = GOALS.filter(({ figure, atMost }) => Number(figures[figure]) > atMost)
  for (const { figure, atMost } of missed) {
    process.stderr.write(`goal missed: ${figure} is ${figures[figure]}, at most ${atMost} was wanted\n`)
    process.exitCode = 1
  }
  process.stdout.write(options.json ? `${JSON.stringify(figures)}\n` : table(figures))
} finally {
  await stage.close()
}

async function warmRefresh(on: Stage, latency: Latency): Promise<Awaited<ReturnType<typeof paired>>> {
  on.setLatency(NONE)
  const ours = await startContainer(on.bundles.ours, on.environment)
  const handWritten = await startContainer(on.bundles.handWritten, on.environment)
  const refresh = async (container: typeof ours, account: string): Promise<number> => {
    const { milliseconds, reply } = await container.invoke({ accounts: [account] })
    if (reply.refreshed !== 1) throw new Error(`${account} was not refreshed: ${JSON.stringify(reply)}`)
    return milliseconds
  }
  for (const account of on.takeAccounts(WARM_UPS)) await refresh(handWritten, account)
  for (const account of on.takeAccounts(WARM_UPS)) await refresh(ours, account)
  on.setLatency(latency)
  // An account each: what one handler writes, the other would find and only prove.
  const accounts = on.takeAccounts(2 * WARM_PAIRS)
  const result = await paired(
    WARM_PAIRS,
    (pair) => refresh(ours, accounts[2 * pair] as string),
    (pair) => refresh(handWritten, accounts[2 * pair + 1] as string),
  )
  ours.close()
  handWritten.close()
  return result
}

async function countCalls(on: Stage): Promise<Record<string, number>> {
  on.setLatency(NONE)
  const counted = await on.counted()
  const container = await startContainer(on.bundles.ours, counted.environment)
  const [plain = '', rotating = ''] = on.takeAccounts(2)
  await container.invoke({ accounts: [plain] })
  const refresh = counted.take()
  await container.invoke({ accounts: [plain] })
  const fresh = counted.take()
  on.simulator.behaviour.rotates = true
  await container.invoke({ accounts: [rotating] })
  const rotation = counted.take()
  on.simulator.behaviour.rotates = false
  container.close()
  counted.close()
  const sum = (calls: Record<string, number>, ...names: string[]): number =>
    names.reduce((total, name) => total + (calls[name] ?? 0), 0)
  return {
    ssmReadsPerRefresh: sum(refresh, 'GetParameters', 'GetParameter'),
    ssmWritesPerRefresh: sum(refresh, 'PutParameter'),
    ssmWritesPerRefreshWithRotation: sum(rotation, 'PutParameter'),
    dynamoReadsPerRefresh: sum(refresh, 'Query', 'GetItem'),
    dynamoWritesPerRefresh: sum(refresh, 'PutItem', 'UpdateItem', 'DeleteItem'),
    callsPerRefresh: sum(refresh, ...Object.keys(refresh)),
    ssmReadsPerFreshAccount: sum(fresh, 'GetParameters', 'GetParameter'),
    dynamoReadsPerFreshAccount: sum(fresh, 'Query', 'GetItem'),
    callsPerFreshAccount: sum(fresh, ...Object.keys(fresh)),
  }
}

async function manyAccounts(on: Stage): Promise<Record<string, number>> {
  on.setLatency(NONE)
  const container = await startContainer(on.bundles.ours, on.environment)
  const [first = ''] = on.takeAccounts(1)
  const one = await container.invoke({ accounts: [first] })
  const all = await container.invoke({ accounts: on.takeAccounts(MANY_ACCOUNTS) })
  container.close()
  if (all.reply.refreshed !== MANY_ACCOUNTS) throw new Error(`only ${all.reply.refreshed} were refreshed`)
  return {
    manyAccounts: MANY_ACCOUNTS,
    manyAccountsMs: round(all.milliseconds),
    rssAfterOneAccountMb: round(one.rssBytes / 2 ** 20),
    rssAfterManyAccountsMb: round(all.rssBytes / 2 ** 20),
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}

function table(figures: Readonly<Record<string, unknown>>): string {
  const width = Math.max(...Object.keys(figures).map((name) => name.length))
  return Object.entries(figures)
    .map(
      ([name, value]) =>
        `${name.padEnd(width)}  ${typeof value === 'object' ? JSON.stringify(value) : value}\n`,
    )
    .join('')
}
