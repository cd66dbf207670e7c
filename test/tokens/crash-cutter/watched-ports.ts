import { Temporal } from 'temporal-polyfill'
import type { AccountId } from '../../../lib/model/account-id.ts'
import { NotificationError, StateStoreError, TokenVaultError } from '../../../lib/model/errors.ts'
import type { Clock } from '../../../lib/ports/clock.ts'
import type { HttpRequest } from '../../../lib/ports/http.ts'
import type { Ports } from '../../../lib/ports/ports.ts'
import type { Telemetry } from '../../../lib/ports/telemetry.ts'
import type { Ledger } from './ledger.ts'
import type { Process } from './process.ts'
import type { Outage, WatchedAccount } from './watched-account.ts'

/** Requests after which another access token may be the live one. */
const GRANTS: ReadonlySet<string> = new Set(['/token', '/login', '/upstream'])
const MINTS: ReadonlySet<string> = new Set([...GRANTS, '/exchange', '/approval'])
/** A request takes its time: others that are sent meanwhile are in flight together with it. */
const TURNS_IN_FLIGHT = 10

/** What is watched while processes come and go. */
export interface WatchedWorld extends WatchedAccount {
  readonly account: AccountId
  readonly ledger: Ledger
  readonly vault: Ports['vault']
  readonly states: Ports['states']
  readonly clock: Clock
  /** What happened in this world so far: two with as many happenings after the same beginning are the same. */
  happenings: number
  /** Whether our own service fails this time. */
  fails(service: Outage): boolean
}

/** The world's ports, and a look at each call that reaches them. */
export function watchedPorts(world: WatchedWorld, process: Process, endsBy: Temporal.Instant): Ports {
  const { ledger, simulator, vault, states, clock, account } = world
  return {
    vault: {
      read: vault.read,
      async write(id, name, value, options) {
        ledger.saving(process, name, value.reveal())
        if (world.fails('vault')) throw new TokenVaultError('throttled', { during: 'write' })
        world.happenings += 1
        ledger.saved(value.reveal())
        return vault.write(id, name, value, options)
      },
      async remove(id, name) {
        await ledger.removing(name)
        world.happenings += 1
        await vault.remove(id, name)
      },
    },
    states: {
      ...states,
      async replace(next) {
        ledger.said(next)
        const leased = (await states.get(account))?.lease !== undefined
        if (leased && world.fails('records')) throw new StateStoreError('throttled', { fix: 'wait' })
        world.happenings += 1
        return states.replace(next)
      },
    },
    notifier: {
      async notify(alert) {
        if (world.fails('notifier')) throw new NotificationError('refused')
        world.happenings += 1
        await ledger.told(alert, process)
      },
    },
    telemetry: telemetryOf(world),
    http: { send: (request) => sent(world, process, request) },
    clock: {
      now: () => clock.now(),
      async sleep(milliseconds) {
        const wakes = clock.now().add({ milliseconds: Math.max(0, Math.ceil(milliseconds)) })
        if (Temporal.Instant.compare(wakes, endsBy) > 0)
          ledger.violated('I8', `it sleeps until ${wakes}, and is stopped at ${endsBy}`)
        world.happenings += 1
        await clock.sleep(milliseconds)
      },
    },
    subscribers: [
      {
        name: 'watching subscriber',
        async onPublished({ accessToken }) {
          if (!simulator.proven.has(accessToken.reveal())) ledger.violated('I2', 'told of an unproven token')
        },
        onStillCurrent: async () => undefined,
        onWithdrawn: async () => undefined,
      },
    ],
    links: { forIncident: async (id, incident) => `https://site.invalid/${id}/${incident}` },
    hosts: {},
  }
}

async function sent(
  world: WatchedWorld,
  process: Process,
  request: HttpRequest,
): ReturnType<Ports['http']['send']> {
  const { ledger, simulator, states, account, clock } = world
  const { pathname } = new URL(request.url)
  ledger.said(request.url)
  world.happenings += 1
  if (!MINTS.has(pathname)) return simulator.send(request)
  const lease = (await states.get(account))?.lease
  if (!lease || Temporal.Instant.compare(lease.until, clock.now()) <= 0)
    ledger.violated('I3', `${pathname} was called without the lease`)
  if (GRANTS.has(pathname)) await ledger.checkKept()
  const settle = ledger.sending(pathname, new URLSearchParams(request.body), process)
  for (let turn = 0; turn < TURNS_IN_FLIGHT; turn++) await undefined
  try {
    const reply = await simulator.send(request)
    settle(reply)
    return reply
  } catch (error) {
    settle(error)
    throw error
  }
}

function telemetryOf({ ledger }: WatchedWorld): Telemetry {
  const log = (message: string, fields = {}): void => ledger.said({ message, fields })
  return { info: log, warn: log, error: log, count: () => undefined }
}
