import { createConfig, lintFromString } from '@redocly/openapi-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SCOPES } from '../../lib/model/api-key.ts'
import type { ApiDocument } from '../../lib/rest/routes/document.ts'
import { RestWorld } from './support/rest-world.ts'

let world: RestWorld
let document: ApiDocument
let source: string

beforeAll(async () => {
  world = await RestWorld.open({ access: 'loopback' })
  const asked = await world.get('/openapi.json')
  expect(asked.headers.get('content-type')).toBe('application/json')
  source = asked.text
  document = JSON.parse(source)
})
afterAll(() => world.close())

/** Every operation with where it is. */
function operations() {
  return Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
  )
}

describe('the OpenAPI document', () => {
  test('is of version 3.1 and passes the linter’s recommended rules', async () => {
    expect(document.openapi).toMatch(/^3\.1\./)
    const config = await createConfig({ extends: ['recommended'] })
    const findings = await lintFromString({ source, config })
    expect(findings.map(({ ruleId, location }) => `${ruleId} ${location[0]?.pointer}`)).toEqual([
      // Whoever asks whether the service is well cannot ask wrongly.
      'operation-4xx-response #/paths/~1health/get/responses',
    ])
  })

  test('has every path of the requirements R0.5, R0.6 and R2.1 to R2.5', () => {
    expect(operations().map(({ method, path }) => `${method.toUpperCase()} ${path}`)).toEqual([
      'GET /health',
      'GET /token/status',
      'GET /accounts/{id}/token/status',
      'GET /accounts/{broker}/{name}/token/status',
      'GET /token/validate',
      'GET /accounts/{id}/token/validate',
      'GET /accounts/{broker}/{name}/token/validate',
      'GET /accounts/{id}/token',
      'POST /accounts/{id}/refresh',
      'GET /accounts/{broker}/{name}/token',
      'POST /accounts/{broker}/{name}/refresh',
      'POST /token/update',
      'POST /accounts/{id}/token/update',
      'POST /accounts/{broker}/{name}/token/update',
      'POST /api/integration/tokens/refresh-all',
      'POST /api/integration/tokens/refresh/{userID}',
      'GET /openapi.json',
      'GET /docs',
    ])
  })

  test('says of every operation which scope it needs, and health alone needs no key', () => {
    for (const { path, operation } of operations()) {
      const { security } = operation as { security: { apiKey: string[] }[] }
      if (path === '/health') expect(security).toEqual([])
      else expect(security).toHaveLength(1)
      for (const scope of security[0]?.apiKey ?? []) expect(SCOPES).toContain(scope)
    }
  })

  test('has one shape for everything that goes wrong', () => {
    for (const { operation } of operations()) {
      const { responses } = operation as { responses: Record<string, { content?: Record<string, unknown> }> }
      for (const [status, { content = {} }] of Object.entries(responses)) {
        if (Number(status) < 400) continue
        expect(content).toEqual({
          'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
        })
      }
    }
  })
})

describe('the page for people', () => {
  test('has every path and every shape, in one response without a script or anything from elsewhere', async () => {
    const page = await world.get('/docs')
    expect(page.headers.get('content-type')).toMatch(/^text\/html/)
    for (const { path, method } of operations()) {
      expect(page.text).toContain(`<code>${method.toUpperCase()} ${path}</code>`)
    }
    for (const name of Object.keys(document.components?.schemas ?? {})) {
      expect(page.text).toContain(`id="${name}"`)
    }
    expect(page.text).not.toMatch(/<script|<link|<img|https?:\/\/(?!127)|undefined|\[object/)
  })

  test('is covered by the strict policy of the site', async () => {
    const { headers } = await world.get('/docs')
    expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'/)
    expect(headers.get('cache-control')).toBe('no-store')
  })

  test('links only to places on it', async () => {
    const { text } = await world.get('/docs')
    const anchors = [...text.matchAll(/href="#([^"]+)"/g)].map(([, anchor]) => anchor)
    expect(anchors.length).toBeGreaterThan(20)
    for (const anchor of anchors) expect(text).toContain(`id="${anchor}"`)
  })
})
