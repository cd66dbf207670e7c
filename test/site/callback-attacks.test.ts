import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AccountId } from '../../lib/model/account-id.ts'
import { newLoginState } from '../../lib/tokens/login/attempts.ts'
import { ASHA, BINA, CALLBACK, callback, Siege } from './support/siege.ts'
import { textOf } from './support/site-browser.ts'

let siege: Siege

beforeEach(async () => {
  siege = await Siege.begin()
})
afterEach(() => siege.close())

describe('a callback nobody begun here', () => {
  test.each<[string, () => Promise<string> | string, string]>([
    ['a forged state', () => newLoginState(BINA), '/problem/unknown_state'],
    ['no state', () => '', '/problem/unknown_state'],
    ['a state that is nonsense', () => '../../x?%00<script>', '/problem/unknown_state'],
    ['a state of another broker', () => newLoginState('fyers' as AccountId), '/problem/unknown_state'],
    [
      'a state whose account was exchanged for another one',
      async () =>
        `${(await siege.state(siege.victim)).split('.')[0]}.${Buffer.from(ASHA).toString('base64url')}`,
      '/problem/unknown_state',
    ],
    [
      'a state of another browser',
      async () => siege.state(await siege.site.visitor(BINA)),
      '/problem/other_browser',
    ],
  ])('with %s changes nothing and sends no code', async (_, made, location) => {
    const state = await made()
    const before = await siege.records()
    expect(await siege.victim.get(callback(state, siege.world.simulator.codeFor('SIM001')))).toMatchObject({
      status: 303,
      location,
      text: '',
    })
    expect(await siege.records()).toBe(before)
    expect(siege.world.simulator.codesSeen).toBe(0)
  })

  test('without any cookie does not even reach the logins, and the login stays open for its own browser', async () => {
    const state = await siege.state(siege.victim)
    const back = callback(state, siege.world.simulator.codeFor('SIM001'))
    const before = await siege.records()
    expect((await siege.site.browser().get(back)).location).toBe('/problem/other_browser')
    expect(siege.finished).toEqual([])
    expect(await siege.records()).toBe(before)
    expect((await siege.victim.get(back)).location).toMatch(/^\/receipt\//)
    expect(siege.finished).toMatchObject([{ query: back.slice(back.indexOf('?') + 1) }])
  })

  test('that brings another code for a state that was used finds the receipt of the first one', async () => {
    const state = await siege.state(siege.victim)
    const first = await siege.victim.get(callback(state, siege.world.simulator.codeFor('SIM001')))
    const replayed = await siege.victim.get(callback(state, siege.world.simulator.codeFor('OTHER77')))
    expect(replayed.location).toBe(first.location)
    expect(siege.world.simulator.codesSeen).toBe(1)
    expect(await siege.world.record(BINA)).toMatchObject({ userId: 'SIM001', generation: 1 })
  })

  test('that brings another person’s code for the own state does not become this account’s token', async () => {
    await siege.victim.get(callback(await siege.state(siege.victim), siege.world.simulator.codeFor('SIM001')))
    siege.world.clock.set('2026-11-24T08:00:00+05:30')
    await siege.world.ports.vault.remove(BINA, 'refresh_token')
    await siege.world.run(siege.world.broker)
    siege.victim = await siege.site.visitor(BINA)
    const token = await siege.world.stored(BINA, 'access_token')
    const page = await siege.victim.follow(
      callback(await siege.state(siege.victim), siege.world.simulator.codeFor('OTHER77')),
    )
    expect(textOf(page.text)).toMatch(/^Wrong account: nothing was changed/)
    expect(await siege.world.stored(BINA, 'access_token')).toBe(token)
    expect(await siege.world.stored(BINA, 'refresh_token')).toBeUndefined()
    expect(await siege.world.record(BINA)).toMatchObject({ userId: 'SIM001', generation: 1 })
  })

  test('of an attacker’s own login, opened in the victim’s browser, is refused', async () => {
    const attacker = await siege.site.visitor(ASHA)
    const back = callback(await siege.state(attacker, ASHA), siege.world.simulator.codeFor('OTHER77'))
    expect((await siege.victim.get(back)).location).toBe('/problem/other_browser')
    expect(siege.world.simulator.codesSeen).toBe(0)
  })

  test.each([
    ['a HEAD', 'HEAD', {}],
    ['a prefetch', 'GET', { 'sec-purpose': 'prefetch' }],
    ['a prerender', 'GET', { 'sec-purpose': 'prefetch;prerender' }],
    ['an older prefetch', 'GET', { purpose: 'prefetch' }],
  ])('as %s spends no code', async (_, method, headers) => {
    const back = callback(await siege.state(siege.victim), siege.world.simulator.codeFor('SIM001'))
    expect((await siege.victim.request(method, back, { headers })).status).toBe(403)
    expect(siege.world.simulator.codesSeen).toBe(0)
    expect((await siege.victim.get(back)).location).toMatch(/^\/receipt\//)
  })
})

describe('a redirect', () => {
  test('leads to our own pages or to the broker, whatever is asked for', async () => {
    const evil = 'https://evil.example.invalid/'
    const host = new URL(siege.world.ports.hosts['ROTABROKER_API'] ?? '').host
    const { action, fields } = await siege.startForm(siege.victim, BINA)
    const replies = [
      await siege.victim.get(`/?next=${evil}&redirect_uri=${evil}`),
      await siege.victim.get(`/login?next=${evil}&account=${evil}`),
      await siege.victim.get(`${CALLBACK}?redirect_uri=${evil}&state=x&code=y`),
      await siege.victim.get(`/callback/${encodeURIComponent('//evil.example.invalid')}?state=x`),
      await siege.victim.get('//evil.example.invalid/login'),
      await siege.victim.get(`/problem/${encodeURIComponent(evil)}`),
      await siege.victim.post(action, { ...fields, redirect_uri: evil, callbackUrl: evil, next: evil }),
    ]
    for (const { location, text } of replies) {
      expect(location ?? '/').toMatch(new RegExp(`^(/[a-z]|/$|http://${host}/authorize)`))
      expect(`${location} ${text}`).not.toContain('evil')
    }
  })

  test('leads a query of any length away from itself', async () => {
    const long = await siege.victim.get(`${CALLBACK}?state=${'x'.repeat(9000)}&code=y`)
    expect(long).toMatchObject({ status: 303, location: '/problem/unknown_state' })
    expect(siege.finished).toEqual([])
  })
})
