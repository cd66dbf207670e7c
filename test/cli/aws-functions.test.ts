import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type AwsFunctions, awsFunctions } from '../../lib/cli/backend/aws-functions.ts'

const SITE = 'https://tokens.example.invalid'

let server: Server
let functions: AwsFunctions
let reply: { readonly status: number; readonly type?: string; readonly body: unknown }
let asked: string[]
/** Whether it takes the request and never answers, as a dropped connection looks. */
let hangs: boolean

beforeEach(async () => {
  asked = []
  hangs = false
  server = createServer((request, response) => {
    asked.push(request.url ?? '')
    if (hangs) return
    response.writeHead(reply.status, {
      'content-type': 'application/json',
      ...(reply.type && { 'x-amzn-errortype': reply.type }),
    })
    response.end(JSON.stringify(reply.body))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${port}`)
  vi.stubEnv('AWS_REGION', 'ap-south-1')
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'SIMULATED')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'SIMULATED')
  functions = awsFunctions('Tokenkeeper')
})
afterEach(() => {
  functions.close()
  server.closeAllConnections()
  server.close()
  vi.unstubAllEnvs()
})

test('the login page’s address is what its function was told', async () => {
  reply = { status: 200, body: { Environment: { Variables: { TOKENKEEPER_SITE_URL: SITE } } } }
  expect(await functions.siteUrl()).toBe(SITE)
  expect(asked[0]).toContain('/functions/Tokenkeeper-site/configuration')
})

test('a stack without a site has no login page, which is no error', async () => {
  reply = { status: 404, type: 'ResourceNotFoundException', body: { Message: 'Function not found' } }
  expect(await functions.siteUrl()).toBeUndefined()
})

test('who may not ask is told what is missing', async () => {
  reply = { status: 403, type: 'AccessDeniedException', body: { Message: 'not authorized' } }
  await expect(functions.siteUrl()).rejects.toMatchObject({
    code: 'configuration_invalid',
    fix: expect.stringContaining('lambda:GetFunctionConfiguration'),
  })
})

test('an invocation whose reply never comes is given up, made once, and no failure: it may be at work', async () => {
  hangs = true
  const hasty = awsFunctions('Tokenkeeper', { invocationMs: 100 })
  expect(await hasty.invoke('fyers', {})).toBeUndefined()
  expect(asked.length).toBe(1)
  hasty.close()
})

test('a description that never comes is an error that says so', async () => {
  hangs = true
  const hasty = awsFunctions('Tokenkeeper', { readMs: 50 })
  await expect(hasty.describe('fyers')).rejects.toMatchObject({ code: 'configuration_invalid' })
  hasty.close()
})
