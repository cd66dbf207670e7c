import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseAccountId } from '../../lib/model/account-id.ts'
import { RestWorld } from './support/rest-world.ts'

let world: RestWorld
let key: string

beforeEach(async () => {
  world = await RestWorld.open()
  await world.upstoxAccounts()
  key = await world.key(['token', 'refresh'])
  world.clock.advance({ minutes: 2 })
})
afterEach(() => world.close())

describe('the paths of the IIFL guide', () => {
  test('R0.5 refresh-all answers with its fields, one line for each account', async () => {
    await world.fyersAccount()
    world.clock.advance({ minutes: 2 })
    await world.account('iifl/28748327', {}, { managedBy: 'external' })
    const { status, body } = await world.post('/api/integration/tokens/refresh-all', await world.key(), {
      force: true,
    })
    expect(status).toBe(200)
    expect(body).toMatchObject({
      success: true,
      message: '3 refreshed, 1 skipped, 0 failed of 4',
      refreshed: 3,
      failed: 0,
      skipped: 1,
      total: 4,
      results: [
        {
          success: true,
          account: 'fyers',
          userID: 'XX00001',
          clientName: 'SIM USER ONE',
          outcome: 'refreshed',
        },
        { success: true, account: 'iifl/28748327', userID: null, clientName: null, outcome: 'skipped' },
        { success: true, account: 'upstox/ACC1', userID: 'SIM001', clientName: 'USER SIM001' },
        { success: true, account: 'upstox/ACC2', userID: 'SIM002', clientName: 'USER SIM002' },
      ],
    })
  })

  test('R0.5 says of each account that failed why, and reports the others', async () => {
    await world.account('iifl/28748327', {})
    const { status, body } = await world.post('/api/integration/tokens/refresh-all', key)
    expect(status).toBe(200)
    expect(body).toMatchObject({ success: false, failed: 1, skipped: 2, total: 3 })
  })

  test('R0.6 refresh/{userID} answers with its fields, by the user id of the broker or the account’s name', async () => {
    world.upstox.killAccessToken('SIM001')
    const admin = await world.key()
    for (const user of ['SIM001', 'ACC1', 'upstox%2FACC1']) {
      const { status, body } = await world.post(`/api/integration/tokens/refresh/${user}`, admin, {
        force: true,
      })
      expect(status).toBe(200)
      expect(body).toMatchObject({
        success: true,
        message: expect.any(String),
        userID: 'SIM001',
        clientName: 'USER SIM001',
        tokenValidity: '2026-11-24T03:30:00+05:30',
      })
      world.clock.advance({ minutes: 2 })
    }
  })

  test('R0.6 a bare number is IIFL’s user first', async () => {
    await world.account('upstox/28748327', {})
    await world.account('iifl/28748327', {}, { managedBy: 'external' })
    expect((await world.post('/api/integration/tokens/refresh/28748327', key)).body).toMatchObject({
      account: 'iifl/28748327',
      outcome: 'skipped',
    })
  })

  test('R0.6 a failure is a problem that has the guide’s fields as well', async () => {
    await world.account('iifl/28748327', {})
    const asked = await world.post('/api/integration/tokens/refresh/28748327', key)
    expect(asked.status).toBe(409)
    expect(asked.headers.get('content-type')).toBe('application/problem+json')
    expect(asked.body).toMatchObject({
      success: false,
      message: expect.stringContaining('not stored'),
      userID: null,
      clientName: null,
      tokenValidity: null,
      code: 'configuration_invalid',
    })
  })

  test('R0.10 a user there is not, and a user id that two accounts have, is 404', async () => {
    expect((await world.post('/api/integration/tokens/refresh/NOBODY', key)).status).toBe(404)
    await world.change(parseAccountId('upstox/ACC2'), { userId: 'SIM001' })
    expect((await world.post('/api/integration/tokens/refresh/SIM001', key)).status).toBe(404)
  })
})
