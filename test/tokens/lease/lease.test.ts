import { Temporal } from 'temporal-polyfill'
import { expect, test } from 'vitest'
import { parseAccountId } from '../../../lib/model/account-id.ts'
import { changed, newAccountState } from '../../../lib/model/account-state.ts'
import { type Lease, takeLease } from '../../../lib/tokens/lease/lease.ts'
import { totpStepOf } from '../../../lib/tokens/rules/grants/totp-step.ts'
import { memoryStates } from '../crash-cutter/memory-stores.ts'

const NOW = Temporal.Instant.from('2026-11-23T03:00:00Z')
const ACCOUNT = parseAccountId('iifl/SIM10001')

/** Taken by somebody else before, until then, who never gave it back. */
async function takenAfter(abandonedUntil?: Temporal.Instant): Promise<Lease> {
  const states = memoryStates()
  const before = changed(newAccountState(ACCOUNT), {
    ...(abandonedUntil && { lease: { owner: 'dead', takenAt: NOW, until: abandonedUntil } }),
  })
  await states.replace(before)
  const request = { owner: 'run', takenAt: NOW, until: NOW.add({ seconds: 90 }) }
  const taken = await takeLease(states, before, request)
  if (!taken.held) throw new Error('somebody else has it')
  return taken.lease
}

test('no one-time code is used again that a run which died may have used, up to the end of its lease', async () => {
  const end = NOW.subtract({ minutes: 5 })
  expect((await takenAfter(end)).state.totpStep).toBe(totpStepOf(end))
})

test('the lease of a clock that was ahead rules out no code but those up to now', async () => {
  expect((await takenAfter(NOW.add({ hours: 8 }))).state.totpStep).toBe(totpStepOf(NOW))
})

test('the first lease of an account rules out no one-time code', async () => {
  expect((await takenAfter()).state.totpStep).toBeUndefined()
})

test('a lease that is extended ends later, on record too, and keeps its owner', async () => {
  const lease = await takenAfter()
  const until = NOW.add({ minutes: 10 })
  await lease.extend(until)
  expect(lease.state.lease).toEqual({ owner: 'run', takenAt: NOW, until })
})
