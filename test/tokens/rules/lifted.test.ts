import { Temporal } from 'temporal-polyfill'
import { describe, expect, test } from 'vitest'
import { parseAccountId } from '../../../lib/model/account-id.ts'
import { type AccountState, type GrantBlock, newAccountState } from '../../../lib/model/account-state.ts'
import {
  AmbiguousError,
  BrokerUnavailableError,
  GrantRejectedError,
  HumanActionError,
} from '../../../lib/model/errors.ts'
import { type GrantFailure, tracesOfFailure } from '../../../lib/tokens/rules/grants/attempt.ts'
import { liftedByGrant } from '../../../lib/tokens/rules/grants/lifted.ts'
import { resultOfError, resultOfGrantError } from '../../../lib/tokens/rules/outcome/run-result.ts'
import { CutWorld } from '../crash-cutter/cut-world.ts'
import { cutbroker } from '../crash-cutter/one-session-broker.ts'
import type { OneSessionSimulator } from '../crash-cutter/one-session-simulator.ts'

const NOW = Temporal.Instant.from('2026-11-23T03:00:00Z')
const CLIENT = { client_id: 'SIM-APP', client_secret: 'SIMULATED-client-secret' }

const block: GrantBlock = { code: 'grant_rejected', reason: 'refused', stamps: {}, forcible: false }
const tried = { stamp: '1@then', count: 1 }
const held: AccountState = {
  ...newAccountState(parseAccountId('cutbroker')),
  attempts: [NOW],
  blocks: { refresh_token: block, credentials: block },
  ambiguous: { grant: 'refresh_token', at: NOW, repeats: 0, stamps: {}, probed: true },
  unconfirmed: { password: tried, pin: tried },
}

describe('a token that one grant gave', () => {
  test('says nothing for another: its block, its lost reply and its unconfirmed password stay', () => {
    const lifted = liftedByGrant(cutbroker, 'upstream', held)
    expect(lifted.blocks).toEqual(held.blocks)
    expect(lifted.unconfirmed).toEqual(held.unconfirmed)
    expect(lifted).not.toHaveProperty('ambiguous')
  })

  test('lifts what stood against that grant itself', () => {
    const byPassword = liftedByGrant(cutbroker, 'credentials', held)
    expect(byPassword.blocks).toEqual({ refresh_token: block })
    expect(byPassword.unconfirmed).toEqual({ pin: tried })
    expect(byPassword).not.toHaveProperty('ambiguous')
    const byRefresh = liftedByGrant(cutbroker, 'refresh_token', held)
    expect(byRefresh.blocks).toEqual({ credentials: block })
    expect(byRefresh).toHaveProperty('ambiguous', undefined)
  })

  test('ends every wait and the refusal of the old token', () => {
    expect(liftedByGrant(cutbroker, 'credentials', held)).toMatchObject({
      notBefore: undefined,
      notBeforeSetAt: undefined,
      refusedVersion: undefined,
    })
  })
})

describe('a password whose reply is lost', () => {
  const [rotating, credentials] = cutbroker.grants as [GrantFailure['grant'], GrantFailure['grant']]
  const failure: Omit<GrantFailure, 'error'> = {
    grant: credentials,
    minted: false,
    counted: ['password'],
    used: { wasUsed: () => true, wasAccepted: () => false },
    timeZone: 'Asia/Kolkata',
    at: NOW,
  }

  test('does not make room for a refresh token whose reply was lost before', () => {
    const traces = tracesOfFailure({ ...failure, error: new AmbiguousError('lost') }, held, new Map())
    expect(traces).not.toHaveProperty('ambiguous')
  })

  test('is noted where no other grant is in doubt, and again where it was the same', () => {
    const { ambiguous: _none, ...free } = held
    const lost = { ...failure, error: new AmbiguousError('lost') }
    const first = tracesOfFailure(lost, free, new Map())
    expect(first.ambiguous).toMatchObject({ grant: 'credentials', repeats: 0 })
    const second = tracesOfFailure(lost, { ...free, ...first } as AccountState, new Map())
    expect(second.ambiguous).toMatchObject({ grant: 'credentials', repeats: 1 })
  })

  test('is confirmed by a token it gave, and by no token of another grant', () => {
    const unproven = { ...failure, minted: true, error: new BrokerUnavailableError('no proof') }
    expect(tracesOfFailure(unproven, held, new Map()).unconfirmed).toEqual({ pin: tried })
    const other = { ...unproven, grant: rotating, counted: [] }
    expect(tracesOfFailure(other, held, new Map()).unconfirmed).toEqual(held.unconfirmed)
  })
})

test('a refusal that names what is wrong counts nothing else: the try of a PIN it clears is given back', () => {
  const [, credentials] = cutbroker.grants as [GrantFailure['grant'], GrantFailure['grant']]
  const refused = new GrantRejectedError('the refresh token is spent', { suspects: ['refresh_token'] })
  const failure: GrantFailure = {
    error: refused,
    grant: credentials,
    minted: false,
    counted: ['pin'],
    used: { wasUsed: () => true, wasAccepted: () => false },
    timeZone: 'Asia/Kolkata',
    at: NOW,
  }
  expect(tracesOfFailure(failure, held, new Map()).unconfirmed).toEqual({ password: tried })
  const unnamed = { ...failure, error: new GrantRejectedError('refused') }
  expect(tracesOfFailure(unnamed, held, new Map()).unconfirmed).toEqual(held.unconfirmed)
})

test('only of a grant is it said that it is tried again tomorrow: no run repeats a login', () => {
  const switchedOff = new HumanActionError('logins are switched off', {
    fix: 'switch them on',
    problem: 'account',
  })
  expect(resultOfError(switchedOff, held.account, NOW).fix).toBe('switch them on')
  expect(resultOfGrantError(switchedOff, held.account, NOW)).toMatchObject({
    fix: 'switch them on, then run tokenkeeper refresh cutbroker --force; else it is tried again tomorrow',
    need: { action: expect.stringContaining('tried again tomorrow') },
  })
})

describe('a refresh token and a password', () => {
  async function bothStored(): Promise<CutWorld> {
    const world = new CutWorld()
    const { simulator } = world
    await world.register({
      ...CLIENT,
      refresh_token: simulator.newFamily(),
      password: simulator.password,
      totp_secret: simulator.totpSecret,
    })
    return world
  }

  test.each<[string, (simulator: OneSessionSimulator) => void]>([
    ['its reply was lost', (simulator) => simulator.failNext('/token', 'lost_reply')],
    ['the broker failed', (simulator) => simulator.failNext('/token', 'fault_after')],
    ['it was refused', (simulator) => simulator.revokeRefreshTokens()],
  ])(
    'the refresh token is not sent again when %s, although the password has brought a token since',
    async (_, goWrong) => {
      const world = await bothStored()
      const { simulator, clock, ledger } = world
      goWrong(simulator)
      await world.run()
      clock.advance({ minutes: 15 })
      await world.run()
      expect(await world.isLive()).toBe(true)
      clock.advance({ hours: 11 })
      await world.run()
      expect(simulator.reuses).toBe(0)
      expect(ledger.violations).toEqual([])
    },
  )

  test('it is not sent again either while the token of the password waits to be proven', async () => {
    const world = await bothStored()
    const { simulator, clock } = world
    simulator.failNext('/token', 'lost_reply')
    simulator.failNext('/me', ...Array(12).fill('fault_before'))
    await world.run()
    clock.advance({ minutes: 15 })
    await world.run()
    expect(await world.record()).toMatchObject({
      pending: { source: 'credentials' },
      ambiguous: { grant: 'refresh_token' },
    })
  })
})
