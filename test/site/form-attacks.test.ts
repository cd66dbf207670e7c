import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ASHA, BINA, CALLBACK, Siege } from './support/siege.ts'
import { siteOf } from './support/site.ts'
import type { Form, SiteBrowser } from './support/site-browser.ts'

let siege: Siege

beforeEach(async () => {
  siege = await Siege.begin()
})
afterEach(() => siege.close())

describe('a form that is not ours', () => {
  test.each<
    [
      string,
      (
        form: Form,
        own: SiteBrowser,
      ) => Promise<{
        fields?: Record<string, string>
        headers?: Record<string, string>
        browser?: SiteBrowser
      }>,
    ]
  >([
    ['without a cookie', async () => ({ browser: siege.site.browser() })],
    ['without a token', async () => ({ fields: {} })],
    ['with an empty token', async () => ({ fields: { token: '' } })],
    [
      'with the token of another account',
      async (_, own) => ({ fields: { ...(await siege.startForm(own, ASHA)).fields } }),
    ],
    [
      'with the token of another browser',
      async () => ({ fields: { ...(await siege.startForm(await siege.site.visitor(BINA), BINA)).fields } }),
    ],
    ['posted by another site', async () => ({ headers: { origin: 'https://evil.example.invalid' } })],
    [
      'posted by a page of another site that hides itself',
      async () => ({ headers: { 'sec-fetch-site': 'cross-site' } }),
    ],
    [
      'posted by a neighbour under the same domain',
      async () => ({ headers: { 'sec-fetch-site': 'same-site' } }),
    ],
    [
      'with a cookie that was made up',
      async (form) => ({
        headers: { cookie: `__Host-tokenkeeper=${'A'.repeat(22)}.1999999999.key.${'A'.repeat(43)}` },
        fields: { ...form.fields },
      }),
    ],
    [
      'with a cookie that is no cookie of ours',
      async () => ({ headers: { cookie: '__Host-tokenkeeper=%00;;;' } }),
    ],
  ])('%s changes nothing', async (_, attack) => {
    const form = await siege.startForm(siege.victim, BINA)
    const { fields = form.fields, headers = {}, browser = siege.victim } = await attack(form, siege.victim)
    const before = await siege.records()
    const reply = await browser.post(form.action, fields, headers)
    expect(reply.status).toBe(403)
    expect(reply.location).toBeUndefined()
    expect(await siege.records()).toBe(before)
  })

  test('is not made of the token for another button either', async () => {
    const { fields } = await siege.startForm(siege.victim, BINA)
    for (const action of ['approve', 'paste']) {
      expect((await siege.victim.post(`/login/${BINA}/${action}`, fields)).status).toBe(403)
    }
  })

  test('with a cookie whose end was moved is as good as none', async () => {
    const { action, fields } = await siege.startForm(siege.victim, BINA)
    const [name, value] = [...siege.victim.cookies][0] as [string, string]
    const [random, until, ...rest] = value.split('.')
    const longer = [random, Number(until) + 1, ...rest].join('.')
    expect((await siege.victim.post(action, fields, { cookie: `${name}=${longer}` })).status).toBe(403)
    siege.world.clock.advance({ hours: 24 })
    expect((await siege.victim.post(action, fields)).status).toBe(403)
  })

  test('is refused where it is larger than any of ours', async () => {
    const { action, fields } = await siege.startForm(siege.victim, BINA)
    const before = await siege.records()
    const reply = await siege.victim.post(action, { ...fields, padding: 'x'.repeat(8 * 1024) })
    expect(reply.status).toBe(413)
    expect(await siege.records()).toBe(before)
  })

  test('is served where it comes from: our page, with or without what browsers say about it', async () => {
    for (const headers of [
      {},
      { origin: siege.site.siteUrl },
      { origin: 'null', 'sec-fetch-site': 'same-origin' },
    ]) {
      const { action, fields } = await siege.startForm(siege.victim, BINA)
      expect((await siege.victim.post(action, fields, headers)).status).toBe(303)
    }
  })
})

describe('the Host header', () => {
  const HEADERS = {
    host: 'evil.example.invalid',
    'x-forwarded-host': 'evil.example.invalid',
    forwarded: 'host=evil.example.invalid',
  }

  test('is part of nothing that we send', async () => {
    const { action, fields } = await siege.startForm(siege.victim, BINA)
    const replies = [
      await siege.victim.get('/', HEADERS),
      await siege.victim.get('/login', HEADERS),
      await siege.victim.get('https://evil.example.invalid/login'),
      await siege.victim.post(action, fields, HEADERS),
      await siege.victim.get(`${CALLBACK}?state=x`, HEADERS),
      await siege.victim.get('/nowhere', HEADERS),
    ]
    for (const { headers, text } of replies)
      expect(`${JSON.stringify([...headers])}${text}`).not.toContain('evil')
    const leaving = new URL(replies[3]?.location ?? '')
    expect(leaving.searchParams.get('redirect_uri')).toBe(`${siege.site.siteUrl}${CALLBACK}`)
  })

  test('takes a browser on this machine to the one name that callbacks use, and nowhere else', async () => {
    const local = await siteOf(siege.world, [siege.world.broker], {
      open: true,
      siteUrl: 'http://127.0.0.1:8787',
    })
    const browser = local.browser()
    const asked = (host: string) => browser.get('/login', { host })
    expect(await asked('localhost:8787')).toMatchObject({
      status: 303,
      location: 'http://127.0.0.1:8787/login',
    })
    const back = await browser.get(`${CALLBACK}?state=x&code=y`, { host: 'localhost:8787' })
    expect(back.location).toBe(`http://127.0.0.1:8787${CALLBACK}?state=x&code=y`)
    expect((await asked('127.0.0.1:8787')).status).toBe(200)
    expect((await asked('evil.example.invalid')).status).toBe(200)
    for (const path of [
      '/callback/%0d%0aset-cookie:a=b',
      '/callback/%00?state=x',
      '/callback/no-such-broker',
    ]) {
      for (const host of ['localhost:8787', '127.0.0.1:8787']) {
        expect(await browser.get(path, { host }), `${path} at ${host}`).toMatchObject({ status: 404 })
      }
    }
    expect(siege.world.logs.filter(({ level }) => level === 'error')).toEqual([])
    const tunnel = await siteOf(siege.world, [siege.world.broker], {
      open: true,
      siteUrl: 'https://t.example.invalid',
    })
    expect((await tunnel.browser().get('/login', { host: 'localhost:8787' })).status).toBe(200)
  })
})
