import { createHash } from 'node:crypto'
import { TOTP } from 'otpauth'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type EnvelopeKeys,
  newOwnKeys,
  openEnvelope,
  peerKeyIn,
  sealEnvelope,
} from '../../../lib/brokers/iifl/envelope.ts'
import { IiflSimulator } from '../../../lib/simulators/iifl/iifl-simulator.ts'
import { SIMULATED_CODE } from '../../../lib/simulators/kit/login-page.ts'
import { type SimulatorServer, startSimulator } from '../../../lib/simulators/kit/simulator-server.ts'
import { VirtualClock } from '../../../lib/simulators/kit/virtual-clock.ts'
import { ONE, PATHS, PROFILE, SESSION, TWO } from '../../brokers/iifl/iifl-fixture.ts'

interface Reply {
  readonly status?: string
  readonly userSession?: string
  readonly cPubKey?: string
  readonly cRespEncData?: string
  readonly result?: { readonly token?: string; readonly authCode?: string; readonly clientId?: string }
}

const own = await newOwnKeys()
const APP = { appName: 'IIFLMARKETSWEB', osName: 'WEBINTERNAL' }

let clock: VirtualClock
let simulator: IiflSimulator
let server: SimulatorServer

beforeEach(async () => {
  clock = new VirtualClock('2026-11-23T03:00:00+05:30')
  simulator = new IiflSimulator(clock, [ONE, TWO])
  server = await startSimulator(simulator, { clock })
})

afterEach(() => server.close())

async function call(
  method: 'GET' | 'POST',
  path: string,
  json?: unknown,
  bearer?: string,
): Promise<Response> {
  return fetch(server.origin + path, {
    method,
    headers: { 'content-type': 'application/json', ...(bearer && { authorization: `Bearer ${bearer}` }) },
    ...(json !== undefined && { body: JSON.stringify(json) }),
  })
}

async function post(path: string, json?: unknown, bearer?: string): Promise<Reply> {
  return (await (await call('POST', path, json, bearer)).json()) as Reply
}

async function get(path: string, bearer?: string): Promise<Reply> {
  return (await (await call('GET', path, undefined, bearer)).json()) as Reply
}

async function keysFrom(path: string): Promise<EnvelopeKeys> {
  const { cPubKey } = await post(path, { ceData: own.publicText })
  const peer = peerKeyIn(cPubKey ?? '')
  if (!peer) throw new Error('the simulator gave no key')
  return { own, peer }
}

async function passwordStep(password: string): Promise<Reply> {
  const keys = await keysFrom(PATHS.A.keys)
  return post(PATHS.A.password, { cEncData: sealEnvelope({ clientId: ONE.clientId, password }, keys) })
}

async function totpStep(token: string | undefined, totp: unknown, appKey = ONE.appKey): Promise<Reply> {
  return post(PATHS.A.totp, { clientId: ONE.clientId, totp, appKey }, token)
}

function codeNow(secondsAgo = 0): string {
  const timestamp = clock.now().epochMilliseconds - secondsAgo * 1000
  return new TOTP({ secret: ONE.totpSecret, digits: 6, period: 30 }).generate({ timestamp })
}

function checkSumOf(code: string): { checkSum: string } {
  return {
    checkSum: createHash('sha256')
      .update(ONE.clientId + code + ONE.appSecret)
      .digest('hex'),
  }
}

/** Logs in on the login page; gives the callback's address or the page. */
async function press(query: string, changes: Record<string, string> = {}): Promise<Response> {
  const body = new URLSearchParams({
    appkey: ONE.appKey,
    user: ONE.clientId,
    code: SIMULATED_CODE,
    decision: 'approve',
    ...Object.fromEntries(new URLSearchParams(query)),
    ...changes,
  })
  return fetch(server.origin, { method: 'POST', body, redirect: 'manual' })
}

describe('the documented login', () => {
  const callback = encodeURIComponent('http://127.0.0.1:8787/callback?state=abc')

  test.each(['redirecturl', 'redirectUrl', 'redirect_url'])(
    'accepts %s and redirects with code and client id',
    async (name) => {
      const target = new URL((await press(`&${name}=${callback}`)).headers.get('location') ?? '')
      expect(target.searchParams.get('state')).toBe('abc')
      expect(target.searchParams.get('clientId')).toBe('IIFLTEST1')
      const session = await post(SESSION, checkSumOf(target.searchParams.get('authCode') ?? ''))
      expect(session).toMatchObject({ status: 'Ok', userSession: expect.stringMatching(/^ey/) })
    },
  )

  test('shows the code on the page without a redirect address', async () => {
    expect(await (await press('')).text()).toMatch(/authCode: <code>AUTHCODE\d+<\/code>/)
  })

  test('asks again after a wrong code, and sends whoever cancels back without one', async () => {
    expect(await (await press(`&redirecturl=${callback}`, { code: '1' })).text()).toContain('role="alert"')
    const back = await press(`&redirecturl=${callback}`, { decision: 'refuse' })
    expect(new URL(back.headers.get('location') ?? '').searchParams.has('authCode')).toBe(false)
  })

  test('knows the users of the app, and none for another app', async () => {
    const page = await fetch(`${server.origin}/?v=1&appkey=${ONE.appKey}`)
    expect(await page.text()).toContain('SIM USER ONE (IIFLTEST1)')
    expect((await fetch(`${server.origin}/?v=1&appkey=other`)).status).toBe(400)
  })

  test('varies the names in its callback', async () => {
    simulator.behaviour.callback = { code: 'code', clientId: 'clientid' }
    const target = new URL((await press(`&redirecturl=${callback}`)).headers.get('location') ?? '')
    expect([...target.searchParams.keys()]).toEqual(['state', 'code', 'clientid'])
  })

  test('a code works once', async () => {
    const code = simulator.sessions.codeFor(ONE)
    expect(await post(SESSION, checkSumOf(code))).toMatchObject({ status: 'Ok' })
    expect(await post(SESSION, checkSumOf(code))).toMatchObject({ status: 'Not_Ok' })
  })

  test.each([
    [14, 'Ok'],
    [15, 'Not_Ok'],
  ])('a code of %i min: %s', async (minutes, status) => {
    const code = simulator.sessions.codeFor(ONE)
    clock.advance({ minutes })
    expect(await post(SESSION, checkSumOf(code))).toMatchObject({ status })
  })

  test('a wrong checksum is Not_Ok under HTTP 200', async () => {
    const reply = await call('POST', SESSION, { checkSum: '0'.repeat(64) })
    expect(reply.status).toBe(200)
    expect(await reply.json()).toMatchObject({ status: 'Not_Ok' })
  })
})

describe('passwords', () => {
  test('wrong ones are EC016, then the user is blocked with EC004, even for the right one', async () => {
    for (let i = 0; i < 3; i++) expect(await passwordStep('Wr0ng')).toMatchObject({ status: 'EC016' })
    expect(await passwordStep(ONE.password)).toMatchObject({ status: 'EC004' })
    expect(simulator.passwordAttempts('IIFLTEST1')).toBe(4)
  })

  test('with a space in it are EC063', async () => {
    expect(await passwordStep('Passw0rd !')).toMatchObject({ status: 'EC063' })
  })

  test('under an unknown, an old or a too young key are EC062', async () => {
    const keys = await keysFrom(PATHS.A.keys)
    const cEncData = sealEnvelope({ clientId: ONE.clientId, password: ONE.password }, keys)
    const stranger = sealEnvelope({ clientId: ONE.clientId }, { ...keys, own: await newOwnKeys() })
    expect(await post(PATHS.A.password, { cEncData: stranger })).toMatchObject({ status: 'EC062' })
    simulator.behaviour.keySettleSeconds = 10
    clock.advance({ seconds: 9 })
    expect(await post(PATHS.A.password, { cEncData })).toMatchObject({ status: 'EC062' })
    clock.advance({ seconds: 1 })
    expect(await post(PATHS.A.password, { cEncData })).toMatchObject({ status: 'Ok' })
    clock.advance({ seconds: 290 })
    expect(await post(PATHS.A.password, { cEncData })).toMatchObject({ status: 'EC062' })
  })

  test('a second login within 60 s is EC018', async () => {
    expect(await passwordStep(ONE.password)).toMatchObject({ status: 'Ok' })
    clock.advance({ seconds: 59 })
    expect(await passwordStep(ONE.password)).toMatchObject({ status: 'EC018' })
    clock.advance({ seconds: 1 })
    expect(await passwordStep(ONE.password)).toMatchObject({ status: 'Ok' })
  })
})

describe('one-time codes', () => {
  let token: string | undefined

  beforeEach(async () => {
    simulator.behaviour.codeGapSeconds = 0
    token = (await passwordStep(ONE.password)).result?.token
  })

  test('a right one gives an auth code, and none a second time', async () => {
    expect(await totpStep(token, codeNow())).toMatchObject({ result: { authCode: expect.any(String) } })
    expect(await totpStep(token, codeNow())).toMatchObject({ status: 'EC036' })
  })

  test.each([
    ['of the step before', () => codeNow(30)],
    ['that is another', () => '000000'],
    ['that became a number', () => Number(codeNow())],
  ])('one %s is EC036', async (_what, code) => {
    expect(await totpStep(token, code())).toMatchObject({ status: 'EC036' })
  })

  test('three wrong ones lock the user out for 15 min with EC080', async () => {
    for (const status of ['EC036', 'EC036', 'EC080'])
      expect(await totpStep(token, '000000')).toMatchObject({ status })
    simulator.behaviour.stepTokenLifeSeconds = 3600
    clock.advance({ minutes: 14 })
    expect(await totpStep(token, codeNow())).toMatchObject({ status: 'EC080' })
    clock.advance({ minutes: 1 })
    expect(await totpStep(token, codeNow())).toMatchObject({ status: 'Ok' })
  })

  test('with another app key are EC054, without the password step EC044', async () => {
    expect(await totpStep(token, codeNow(), 'OTHERKEY')).toMatchObject({ status: 'EC054' })
    expect(await totpStep('some.other.token', codeNow())).toMatchObject({ status: 'EC044' })
  })
})

describe('variant B', () => {
  const device = { userId: ONE.clientId, deviceId: 'a-device', ...APP }
  const payload = { ...device, password: ONE.password, versionNo: 'A.0.0.1' }

  async function send(content: object): Promise<Reply> {
    const keys = await keysFrom(PATHS.B.keys)
    return post(PATHS.B.password, { cEncData: sealEnvelope(content, keys) })
  }

  test('encrypts its replies for the client alone', async () => {
    const reply = await send(payload)
    expect(Object.keys(reply)).toEqual(['cRespEncData'])
    const text = openEnvelope(reply.cRespEncData ?? '', own.privateKey)?.text ?? ''
    expect(JSON.parse(text)).toMatchObject({ status: 'Ok', result: { token: expect.any(String) } })
    expect(openEnvelope(reply.cRespEncData ?? '', (await newOwnKeys()).privateKey)).toBeUndefined()
  })

  test.each([
    [{ deviceId: '' }, 'EC058'],
    [{ versionNo: 'B' }, 'EC059'],
    [{ appName: 'OTHER' }, 'EC060'],
    [{ osName: 'OTHER' }, 'EC061'],
  ])('with %o is %s', async (wrong, status) => {
    expect(await send({ ...payload, ...wrong })).toMatchObject({ status })
  })

  test('encrypts its errors too where it is told to', async () => {
    simulator.behaviour.encryptsErrors = true
    const { cRespEncData } = await send({ ...payload, password: 'Wr0ng' })
    expect(openEnvelope(cRespEncData ?? '', own.privateKey)?.text).toContain('EC016')
  })
})

describe('sessions', () => {
  test.each(['EC044', 'EC075', 'Not_Ok'] as const)(
    'die at 06:00 IST of the next day, told by %s',
    async (deadSession) => {
      simulator.behaviour.deadSession = deadSession
      const session = simulator.sessionOf('IIFLTEST1')
      clock.set('2026-11-24T05:59:59+05:30')
      expect(await get(PROFILE, session)).toMatchObject({ status: 'Ok', result: { clientId: 'IIFLTEST1' } })
      clock.set('2026-11-24T06:00:00+05:30')
      expect(await get(PROFILE, session)).toMatchObject({ status: deadSession })
    },
  )

  test('a dead one can be HTTP 401', async () => {
    simulator.behaviour.deadSession = 'HTTP 401'
    expect((await call('GET', PROFILE, undefined, 'dead.session.token')).status).toBe(401)
  })

  test('end on logout, and when a newer one begins', async () => {
    const first = simulator.sessionOf('IIFLTEST1')
    const second = simulator.sessionOf('IIFLTEST1')
    expect(await get(PROFILE, first)).toMatchObject({ status: 'EC044' })
    expect(await post('/v1/profile/logout', undefined, second)).toMatchObject({ status: 'Ok' })
    expect(await get(PROFILE, second)).toMatchObject({ status: 'EC044' })
  })
})

describe('limits per second', () => {
  test.each([
    ['GET', PROFILE, 3],
    ['GET', '/v1/limits', 10],
    ['POST', SESSION, 3],
    ['POST', '/v1/profile/logout', 2],
  ] as const)('%s %s: %i calls, then 429 until the next second', async (method, path, calls) => {
    const session = simulator.sessionOf('IIFLTEST1')
    const ask = async (): Promise<number> => (await call(method, path, undefined, session)).status
    for (let i = 0; i < calls; i++) expect(await ask()).toBe(200)
    expect(await ask()).toBe(429)
    clock.advance({ seconds: 1 })
    expect(await ask()).toBe(200)
  })
})
