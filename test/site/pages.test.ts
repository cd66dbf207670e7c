import { describe, expect, test } from 'vitest'
import { parseAccountId } from '../../lib/model/account-id.ts'
import type { Broker } from '../../lib/ports/broker/broker.ts'
import { loginbroker } from '../support/login-broker.ts'
import { LoginWorld } from '../support/login-world.ts'
import { callback } from './support/siege.ts'
import { siteOf } from './support/site.ts'
import { formsOf, textOf } from './support/site-browser.ts'

const APP = { client_id: 'SIM-APP', client_secret: 'SIMULATED-client-secret' }
const BINA = parseAccountId('loginbroker/BINA')
const LOCAL = { open: true, siteUrl: 'http://127.0.0.1:8787' }
const MARKUP = `"><script>alert('x')</script><img src=x onerror=alert(1)>&lt;`
const HEAVIEST_PAGE_BYTES = 20 * 1024

describe('text that others wrote', () => {
  test('is shown as it is and never becomes part of the page: nickname, broker, client, error, fix', async () => {
    const hostile: Broker = {
      ...loginbroker,
      displayName: `Broker ${MARKUP}`,
      prove: async (context, token) => ({
        ...(await loginbroker.prove(context, token)),
        clientName: `Client ${MARKUP}`,
      }),
    }
    const world = await LoginWorld.open('2026-11-23T08:00:00+05:30')
    await world.account(BINA, APP, { nickname: `Nick ${MARKUP}` })
    await world.account('loginbroker/OPS', APP, { nickname: `Ops ${MARKUP}` })
    await world.run(hostile)
    const now = world.clock.now()
    const last = { at: now, outcome: 'failed', reason: `reason ${MARKUP}`, fix: `fix ${MARKUP}` } as const
    const incident = { id: MARKUP, kind: 'operator_action', openedAt: now, toldAt: now } as const
    await world.change(parseAccountId('loginbroker/OPS'), { last, incident })
    const site = await siteOf(world, [hostile])
    const browser = await site.visitor(BINA)

    const login = await browser.get(`/login?account=${encodeURIComponent(MARKUP)}`)
    const form = formsOf(login.text)[0]
    const leaving = await browser.post(form?.action ?? '', form?.fields ?? {})
    const state = new URL(leaving.location ?? '').searchParams.get('state') ?? ''
    const receipt = await browser.follow(callback(state, world.simulator.codeFor(`SIM${MARKUP}`)))
    const again = await browser.get('/login')
    const failed = await browser.follow(
      `/callback/loginbroker?error=${encodeURIComponent(MARKUP)}&state=${encodeURIComponent(MARKUP)}`,
    )
    const problem = await browser.get(`/problem/${encodeURIComponent(MARKUP)}`)
    const nowhere = await browser.get(`/${encodeURIComponent(MARKUP)}`)

    expect(textOf(login.text)).toContain(`Nick ${MARKUP} at Broker ${MARKUP}`)
    expect(textOf(login.text)).toContain(`Reason ${MARKUP}`)
    expect(textOf(receipt.text)).toContain(`Client ${MARKUP}`)
    for (const { text } of [login, receipt, again, failed, problem, nowhere]) {
      expect(text).not.toContain('<script')
      expect(text).not.toContain('<img')
    }
    await world.close()
  })
})

describe('the page for many accounts', () => {
  test('of ten that need somebody is lighter than 20 kB', async () => {
    const world = await LoginWorld.open('2026-11-23T08:00:00+05:30')
    for (let index = 0; index < 10; index++) {
      await world.account(`loginbroker/2874832${index}`, APP, { nickname: `Asha Simulated number ${index}` })
      await world.logIn(parseAccountId(`loginbroker/2874832${index}`), `SIM00${index}`)
    }
    const site = await siteOf(world, [world.broker], LOCAL)
    const covered = await site.browser().get('/login')
    world.clock.set('2026-11-24T08:00:00+05:30')
    for await (const { account } of world.ports.states.list('loginbroker')) {
      await world.ports.vault.remove(account, 'refresh_token')
    }
    await world.run(world.broker)
    const page = await site.browser().get('/login')
    expect(formsOf(page.text)).toHaveLength(20)
    const bytes = [page, covered].map(({ text }) => Buffer.byteLength(text))
    console.log(`page weight with ten accounts: ${bytes[0]} bytes needed, ${bytes[1]} bytes covered`)
    expect(Math.max(...bytes)).toBeLessThan(HEAVIEST_PAGE_BYTES)
    await world.close()
  })

  test('takes a small part of 50 ms to make', async () => {
    const world = await LoginWorld.open('2026-11-23T08:00:00+05:30')
    for (let index = 0; index < 10; index++) await world.account(`loginbroker/ACC${index}`, APP)
    await world.run(world.broker)
    const site = await siteOf(world, [world.broker], LOCAL)
    const browser = site.browser()
    const leaving = await browser.press(await browser.get('/login'), 'Log in at')
    const state = new URL(leaving.location ?? '').searchParams.get('state') ?? ''
    const { location = '' } = await browser.get(callback(state, world.simulator.codeFor('SIM001')))
    for (const [name, address] of [
      ['login', '/login'],
      ['receipt', location],
      ['waiting', '/waiting/loginbroker/ACC3'],
    ] as const) {
      const times: number[] = []
      for (let look = 0; look < 200; look++) {
        const from = performance.now()
        expect((await browser.get(address)).status).toBe(200)
        times.push(performance.now() - from)
      }
      const median = times.toSorted((a, b) => a - b)[100] ?? Number.NaN
      console.log(`server time of the ${name} page, median of 200: ${median.toFixed(2)} ms`)
      expect(median).toBeLessThan(50)
    }
    await world.close()
  })
})
