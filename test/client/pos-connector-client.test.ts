import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  createClient,
  localSource,
  PosConnectorClient,
  type PosConnectorError,
  type TokenkeeperClient,
} from '../../lib/client/index.ts'
import type { SimulatedFault } from '../../lib/simulators/kit/simulator.ts'
import { POS_FAULTS } from '../../lib/simulators/pos-connector/replies.ts'
import { POS_USER, type PosWorld, posWorld } from '../support/pos-backend.ts'
import { thrownBy } from '../support/thrown.ts'

const INVOICE = { invoice_number: 'SIM-0001', currency: 'INR', lines: [{ description: 'Item', quantity: 1 }] }

let pos: PosWorld
let client: TokenkeeperClient
let invoices: PosConnectorClient
const folder = mkdtempSync(join(tmpdir(), 'tokenkeeper-pos-'))

beforeEach(async () => {
  pos = await posWorld()
  const { world, account, server } = pos
  const source = localSource({ account, ports: world.ports })
  client = createClient({ source, baseUrl: server.origin, clock: world.clock, random: () => 0.5 })
  invoices = new PosConnectorClient({ client, vendorId: POS_USER.vendorId })
})
afterEach(async () => {
  await client.close()
  await pos.world.close()
  for (const name of readdirSync(folder)) rmSync(join(folder, name))
})

afterAll(() => rmSync(folder, { recursive: true }))

const thrown = (work: Promise<unknown>) => thrownBy(work, Error) as Promise<PosConnectorError>

const paths = (): string[] => pos.server.seen.map(({ method, path }) => `${method} ${path}`)

describe('R4.4 an invoice', () => {
  test('is created, submitted, looked at and downloaded', async () => {
    const created = await invoices.createInvoice(INVOICE)
    expect(created).toMatchObject({ id: '1001', status: 'draft', data: { invoice_number: 'SIM-0001' } })
    expect(await invoices.submitInvoice(created.id)).toMatchObject({
      id: '1001',
      status: 'submitted',
      alreadySubmitted: false,
    })
    expect(await invoices.getInvoiceStatus(created.id)).toMatchObject({ id: '1001', status: 'accepted' })
    const file = join(folder, 'invoice.pdf')
    const { bytes, fileName } = await invoices.downloadInvoicePdf(created.id, file)
    expect(readFileSync(file, 'utf8')).toMatch(/^%PDF-1\.7\n/)
    expect(bytes).toBe(readFileSync(file).length)
    expect(fileName).toBe('SIM-0001.pdf')
    expect(pos.simulator.logins).toBe(1)
  })

  test('carries the vendor in the body, in a header, or not at all', async () => {
    const invoice = { ...INVOICE }
    const created = [...pos.simulator.invoices.invoices.values()]
    for (const vendorIdPlacement of ['body:vendor_id', 'header:x-vendor-id', 'none'] as const) {
      const own = new PosConnectorClient({ client, vendorId: POS_USER.vendorId, vendorIdPlacement })
      await own.createInvoice(invoice)
    }
    expect(pos.simulator.invoices.invoices.size).toBe(created.length + 3)
    for (const vendorIdPlacement of ['body:vendor_id', 'header:x-vendor-id'] as const) {
      const other = new PosConnectorClient({ client, vendorId: 'VENDOR-2', vendorIdPlacement })
      expect(await thrown(other.createInvoice(invoice))).toMatchObject({ code: 'forbidden', status: 403 })
    }
  })

  test('is found under other paths and below a prefix', async () => {
    const prefixed = await posWorld({ backend: { prefix: '/shop' }, path: '/shop/' })
    const own = createClient({
      source: localSource({ account: prefixed.account, ports: prefixed.world.ports }),
      baseUrl: `${prefixed.server.origin}/shop/`,
      clock: prefixed.world.clock,
    })
    const there = new PosConnectorClient({
      client: own,
      paths: { invoiceStatus: '/api/invoices/{id}/status' },
    })
    expect((await there.createInvoice(INVOICE)).id).toBe('1001')
    expect((await there.getInvoiceStatus('1001')).status).toBe('draft')
    await own.close()
    await prefixed.world.close()
    expect(() => new PosConnectorClient({ client, paths: { invoicePdf: 'no/slash' } })).toThrow('invoicePdf')
  })

  test('whose id has odd characters does not lead to another route', async () => {
    expect(await thrown(invoices.getInvoiceStatus('../user?x=#'))).toMatchObject({ code: 'unknown_invoice' })
    expect(paths().at(-1)).not.toBe('GET /api/user')
  })

  test('that was submitted before is no failure: its status is read', async () => {
    const { id } = await invoices.createInvoice(INVOICE)
    await invoices.submitInvoice(id)
    expect(await invoices.submitInvoice(id)).toMatchObject({ status: 'accepted', alreadySubmitted: true })
  })

  test('with wrong data is told by its fields', async () => {
    const error = await thrown(invoices.createInvoice({ lines: [] }))
    expect(error).toMatchObject({
      code: 'invalid_data',
      actor: 'developer',
      status: 422,
      errors: { lines: ['The lines field is required.'] },
    })
    expect(error.message).toBe('createInvoice: the data of the invoice is wrong: lines (HTTP 422)')
  })

  test('R4.8 every refusal names its fix, and repeats nothing of the backend’s prose', async () => {
    const { unauthorizedAction, notFound, methodNotAllowed, csrfMismatch, pageExpired } = POS_FAULTS
    const cases: [SimulatedFault, string][] = [
      [unauthorizedAction, 'forbidden'],
      [notFound, 'unknown_invoice'],
      [methodNotAllowed, 'wrong_route'],
      [csrfMismatch, 'wrong_route'],
      [pageExpired, 'wrong_route'],
      [POS_FAULTS.debugError('CANARY-in-a-trace'), 'ambiguous'],
    ]
    for (const [fault, code] of cases) {
      pos.server.failNext('/api/invoices', fault)
      const error = await thrown(invoices.createInvoice(INVOICE))
      expect(error).toMatchObject({ code, fix: expect.stringMatching(/^[a-z].*[^.]$/) })
      expect(error.message + error.stack + JSON.stringify(error)).not.toMatch(/CANARY|CSRF|SQLSTATE/)
    }
  })

  test('whose reply is HTML with 200 is none', async () => {
    const html = {
      kind: 'reply',
      status: 200,
      body: '<html>',
      headers: { 'content-type': 'text/html' },
    } as const
    pos.server.failNext('/api/invoices', html)
    expect(await thrown(invoices.getInvoiceStatus('1'))).toMatchObject({ code: 'response_unexpected' })
  })
})

test('R4.7 the story of the guide: log in, validate, call, expire, refresh, call again, about to expire', async () => {
  await client.authenticate()
  expect(await client.isTokenExpiringSoon()).toBe(false)
  const profile = await client.fetch('/api/user', { headers: { accept: 'application/json' } })
  expect(await profile.json()).toMatchObject({ email: POS_USER.email })
  const { id } = await invoices.createInvoice(INVOICE)
  const [first] = [await client.getToken(), pos.world.clock.advance({ hours: 9 })]
  expect(await client.isTokenExpiringSoon()).toBe(true)
  expect((await invoices.getInvoiceStatus(id)).status).toBe('draft')
  pos.world.clock.advance({ minutes: 2 })
  const refreshed = await client.refreshToken()
  expect(refreshed.accessToken.equals(first.accessToken)).toBe(false)
  expect((await invoices.getInvoiceStatus(id)).status).toBe('draft')
  expect(pos.simulator.logins).toBe(3)
  pos.world.clock.advance({ hours: 7, minutes: 30 })
  expect(await client.isTokenExpiringSoon(30)).toBe(true)
})

describe('R4.1 the token', () => {
  test('is used as it is until half an hour is left, and then renewed before the call', async () => {
    await invoices.createInvoice(INVOICE)
    pos.world.clock.set('2025-07-12T15:21:59Z')
    await invoices.getInvoiceStatus('1001')
    expect(pos.simulator.logins).toBe(1)
    pos.world.clock.set('2025-07-12T15:22:00Z')
    await invoices.getInvoiceStatus('1001')
    expect(pos.simulator.logins).toBe(2)
    expect(await client.isTokenExpiringSoon()).toBe(false)
  })

  test('that has expired is renewed before the call, once for twenty callers', async () => {
    await invoices.createInvoice(INVOICE)
    pos.world.clock.set('2025-07-13T00:00:00Z')
    await Promise.all(Array.from({ length: 20 }, () => invoices.getInvoiceStatus('1001')))
    expect(pos.simulator.logins).toBe(2)
  })
})

describe('R4.3 a 401', () => {
  beforeEach(async () => {
    await invoices.createInvoice(INVOICE)
    pos.world.clock.advance({ minutes: 5 })
  })

  test('is answered with a new login and one repeat, which is the same invoice', async () => {
    pos.simulator.revokeTokensOf(POS_USER.email)
    expect((await invoices.createInvoice({ ...INVOICE, invoice_number: 'SIM-0002' })).id).toBe('1002')
    expect(pos.simulator.logins).toBe(2)
    expect(pos.simulator.invoices.invoices.size).toBe(2)
  })

  test('by twenty callers at once is one login', async () => {
    pos.simulator.revokeTokensOf(POS_USER.email)
    const statuses = await Promise.all(Array.from({ length: 20 }, () => invoices.getInvoiceStatus('1001')))
    expect(new Set(statuses.map(({ status }) => status))).toEqual(new Set(['draft']))
    expect(pos.simulator.logins).toBe(2)
  })

  test('on the repeat too is an operator’s matter, after exactly one login and one repeat', async () => {
    pos.simulator.revokeTokensOf(POS_USER.email)
    const refusal: SimulatedFault = { kind: 'reply', status: 401, body: '{"message":"Unauthenticated."}' }
    pos.server.failNext('/api/invoices/1001/status', refusal)
    pos.server.failNext('/api/invoices/1001/status', refusal)
    expect(await thrown(invoices.getInvoiceStatus('1001'))).toMatchObject({
      code: 'token_refused',
      actor: 'operator',
    })
    expect(pos.simulator.logins).toBe(2)
    expect(paths().filter((path) => path.endsWith('/1001/status'))).toHaveLength(2)
  })

  test('is what a redirect to the login page means', async () => {
    pos.simulator.revokeTokensOf(POS_USER.email)
    pos.server.failNext('/api/invoices/1001/status', POS_FAULTS.loginRedirect)
    expect((await invoices.getInvoiceStatus('1001')).status).toBe('draft')
    expect(pos.simulator.logins).toBe(2)
    expect(paths()).not.toContain('GET /login')
  })

  test('by redirects on both calls is an operator’s matter too', async () => {
    pos.simulator.revokeTokensOf(POS_USER.email)
    pos.server.failNext('/api/invoices/1001/status', POS_FAULTS.loginRedirect)
    pos.server.failNext('/api/invoices/1001/status', POS_FAULTS.loginRedirect)
    expect(await thrown(invoices.getInvoiceStatus('1001'))).toMatchObject({ code: 'token_refused' })
    expect(pos.simulator.logins).toBe(2)
  })

  test('carries the same idempotency key on the repeat: a lost reply makes no second invoice', async () => {
    pos.server.failNext('/api/invoices', { kind: 'lost_reply' })
    const error = await thrown(invoices.createInvoice({ ...INVOICE, invoice_number: 'SIM-0002' }))
    expect(error).toMatchObject({ code: 'ambiguous', idempotencyKey: expect.any(String) })
    expect(pos.simulator.invoices.invoices.size).toBe(2)
    const { idempotencyKey = '' } = error
    pos.simulator.revokeTokensOf(POS_USER.email)
    const again = await invoices.createInvoice({ ...INVOICE, invoice_number: 'SIM-0002' }, { idempotencyKey })
    expect(again.id).toBe('1002')
    expect(pos.simulator.invoices.invoices.size).toBe(2)
  })
})

describe('a passing fault', () => {
  beforeEach(() => invoices.createInvoice(INVOICE))

  test('of a status or a PDF is answered with a repeat', async () => {
    pos.server.failNext('/api/invoices/1001', POS_FAULTS.maintenance(1))
    pos.server.failNext('/api/invoices/1001', { kind: 'reset' })
    expect((await invoices.getInvoiceStatus('1001')).status).toBe('draft')
  })

  test.each([
    ['500', POS_FAULTS.serverError, 'ambiguous'],
    ['a cut connection', { kind: 'reset' }, 'ambiguous'],
    ['maintenance', POS_FAULTS.maintenance(), 'unavailable'],
    ['throttling', POS_FAULTS.throttled(5), 'throttled'],
  ] as const)('of a new invoice is never answered with a second one: %s', async (_what, fault, code) => {
    const before = paths().length
    pos.server.failNext('/api/invoices', fault)
    expect(await thrown(invoices.createInvoice(INVOICE))).toMatchObject({ code })
    expect(paths()).toHaveLength(before + 1)
  })

  test('before anything was sent is told as such', async () => {
    await client.ensureValidToken()
    await pos.server.close()
    expect(await thrown(invoices.createInvoice(INVOICE))).toMatchObject({ code: 'network', sent: false })
  })
})

describe('R4.4 a PDF', () => {
  const file = join(folder, 'invoice.pdf')

  beforeEach(() => invoices.createInvoice(INVOICE))

  test('is written to a stream where the caller gives one', async () => {
    const chunks: Buffer[] = []
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        chunks.push(chunk)
        done()
      },
    })
    const { bytes } = await invoices.downloadInvoicePdf('1001', stream)
    expect(Buffer.concat(chunks).toString()).toMatch(/^%PDF-/)
    expect(Buffer.concat(chunks)).toHaveLength(bytes)
    expect(stream.writableFinished).toBe(true)
  })

  test.each([
    ['html', 'not_a_pdf'],
    ['truncated', 'pdf_incomplete'],
  ] as const)('that comes as %s is not kept, nor half of it', async (behaviour, code) => {
    pos.simulator.behaviour.pdf = behaviour
    expect(await thrown(invoices.downloadInvoicePdf('1001', file))).toMatchObject({ code })
    expect(readdirSync(folder)).toEqual([])
  })

  test('replaces an older file only when it is complete', async () => {
    await invoices.downloadInvoicePdf('1001', file)
    const before = readFileSync(file)
    pos.simulator.behaviour.pdf = 'truncated'
    await thrown(invoices.downloadInvoicePdf('1001', file))
    expect(readFileSync(file)).toEqual(before)
    expect(readdirSync(folder)).toEqual(['invoice.pdf'])
  })

  test('that says it is one and is not is not kept', async () => {
    const headers = { 'content-type': 'application/pdf' }
    for (const body of ['<html>', '%PD', '']) {
      pos.server.failNext('/api/invoices', { kind: 'reply', status: 200, body, headers })
      expect(await thrown(invoices.downloadInvoicePdf('1001', file))).toMatchObject({ code: 'not_a_pdf' })
    }
    expect(readdirSync(folder)).toEqual([])
  })

  test('that is larger than wanted is not kept, announced or not', async () => {
    const small = { maxBytes: 10 }
    expect(await thrown(invoices.downloadInvoicePdf('1001', file, small))).toMatchObject({
      code: 'pdf_too_large',
    })
    const headers = { 'content-type': 'application/pdf', 'transfer-encoding': 'chunked' }
    pos.server.failNext('/api/invoices', { kind: 'reply', status: 200, body: '%PDF-1.7 and more', headers })
    expect(await thrown(invoices.downloadInvoicePdf('1001', file, small))).toMatchObject({
      code: 'pdf_too_large',
    })
    expect(readdirSync(folder)).toEqual([])
  })

  test('that cannot be written is the file system’s error, and nothing is left', async () => {
    const error = await thrown(invoices.downloadInvoicePdf('1001', join(folder, 'no', 'such.pdf')))
    expect(error).toMatchObject({ code: 'ENOENT' })
    expect(readdirSync(folder)).toEqual([])
  })

  test.each([
    ['attachment; filename="../../etc/passwd"', undefined],
    ['attachment; filename=plain.pdf', 'plain.pdf'],
    ['attachment; filename=".."', undefined],
    ['attachment', undefined],
  ])('named by %s is called %s', async (disposition, expected) => {
    const headers = { 'content-type': 'application/pdf', 'content-disposition': disposition }
    pos.server.failNext('/api/invoices', { kind: 'reply', status: 200, body: '%PDF-1.7', headers })
    expect((await invoices.downloadInvoicePdf('1001', file)).fileName).toBe(expected)
  })

  test('that its caller gives up leaves nothing behind', async () => {
    const signal = AbortSignal.abort(new Error('the caller’s own'))
    const error = await thrown(invoices.downloadInvoicePdf('1001', file, { signal }))
    expect(error.message).toBe('the caller’s own')
    expect(readdirSync(folder)).toEqual([])
  })
})
