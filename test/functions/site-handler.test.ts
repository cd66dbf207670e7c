import type { APIGatewayProxyEventV2 } from 'aws-lambda'
import { Hono } from 'hono'
import { getCookie, setCookie } from 'hono/cookie'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { composePagesFromEnvironment } from '../../functions/runtime/site/pages-compose.ts'
import { type SiteHandler, siteHandler } from '../../functions/runtime/site/site-handler.ts'
import { maskSecrets, Secret } from '../../lib/model/secrets/secret.ts'
import { systemClock } from '../../lib/system-clock.ts'
import { captureOutput, lambdaContext } from './lambda.ts'

const REQUEST = 'request-id-of-the-api'

let output: ReturnType<typeof captureOutput>
let composed: number
let handler: SiteHandler

/** A site that shows what it was asked. */
function echo(): Hono {
  const app = new Hono()
  app.all('/broken', () => {
    const secret = new Secret('CANARY-IN-A-LIBRARY').reveal()
    throw new TypeError(`cannot read ${secret}`)
  })
  app.all('*', async (context) => {
    setCookie(context, 'one', 'CANARY-1')
    setCookie(context, 'two', 'CANARY-2')
    new Secret('CANARY-OF-A-REQUEST')
    const { method, url } = context.req
    return context.json({ method, url, cookie: getCookie(context), body: await context.req.text() }, 201)
  })
  app.onError((error) => {
    throw error
  })
  return app
}

beforeEach(() => {
  output = captureOutput()
  composed = 0
  handler = siteHandler(() => {
    composed += 1
    return { app: echo(), clock: systemClock }
  })
})

afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
})

/** What API Gateway makes of a request. */
function request(
  method: string,
  rawPath: string,
  more: Partial<APIGatewayProxyEventV2> = {},
  routeKey = `${method} ${rawPath}`,
): APIGatewayProxyEventV2 {
  const http = {
    method,
    path: rawPath,
    protocol: 'HTTP/1.1',
    sourceIp: '192.0.2.7',
    userAgent: 'CANARY-AGENT',
  }
  return {
    version: '2.0',
    routeKey,
    rawPath,
    rawQueryString: '',
    headers: { host: 'elsewhere.example.invalid' },
    requestContext: {
      requestId: REQUEST,
      domainName: 'login.example.invalid',
      http,
    } as APIGatewayProxyEventV2['requestContext'],
    isBase64Encoded: false,
    ...more,
  }
}

/** A callback with everything that must not be written down. */
const CALLBACK = request(
  'GET',
  '/callback/fyers',
  {
    rawQueryString: 'auth_code=CANARY-CODE&state=CANARY-STATE',
    cookies: ['tokenkeeper=CANARY-COOKIE', 'b=2'],
  },
  'GET /callback/{broker}',
)

describe('a request', () => {
  test('reaches the site with its query, cookies and the host of the API, and so does the reply', async () => {
    const reply = await handler(CALLBACK, lambdaContext())
    expect(reply).toMatchObject({
      statusCode: 201,
      cookies: ['one=CANARY-1; Path=/', 'two=CANARY-2; Path=/'],
      isBase64Encoded: false,
    })
    expect(JSON.parse(reply.body)).toEqual({
      method: 'GET',
      url: 'https://login.example.invalid/callback/fyers?auth_code=CANARY-CODE&state=CANARY-STATE',
      cookie: { tokenkeeper: 'CANARY-COOKIE', b: '2' },
      body: '',
    })
  })

  test('reaches it with a form, which API Gateway writes in base64', async () => {
    const body = Buffer.from('account=fyers&csrf=CANARY').toString('base64')
    const posted = request('POST', '/login/fyers/start', { body, isBase64Encoded: true })
    expect(JSON.parse((await handler(posted, lambdaContext())).body)).toMatchObject({
      method: 'POST',
      body: 'account=fyers&csrf=CANARY',
    })
  })

  test.each(['TRACE', 'CONNECT', 'track'])(
    'does not with %s, for which there is no request',
    async (method) => {
      const reply = await handler(request(method, '/login'), lambdaContext())
      expect(reply).toMatchObject({ statusCode: 405, body: '', headers: { allow: 'GET, HEAD, POST' } })
      expect(output.lines()).toMatchObject([{ level: 'INFO', status: 405 }])
    },
  )

  test('finds the site that the first one built', async () => {
    expect(composed).toBe(0)
    await handler(CALLBACK, lambdaContext())
    await handler(CALLBACK, lambdaContext())
    expect(composed).toBe(1)
  })

  test('leaves no secret behind that the container would collect', async () => {
    await handler(CALLBACK, lambdaContext())
    expect(maskSecrets('CANARY-OF-A-REQUEST')).toBe('CANARY-OF-A-REQUEST')
  })
})

describe('the log', () => {
  test('says which route, how it ended and how long it took, with the id the access log has', async () => {
    await handler(CALLBACK, lambdaContext())
    expect(output.lines()).toEqual([
      expect.objectContaining({
        message: 'request',
        service: 'tokenkeeper-site',
        route: 'GET /callback/{broker}',
        status: 201,
        milliseconds: expect.any(Number),
        request: REQUEST,
      }),
    ])
  })

  test('holds no query, cookie, body, webhook path, address or agent, whatever the variables say', async () => {
    vi.stubEnv('POWERTOOLS_LOGGER_LOG_EVENT', 'true')
    handler = siteHandler(() => ({ app: echo(), clock: systemClock }))
    await handler(CALLBACK, lambdaContext())
    const webhook = request(
      'POST',
      '/webhook/upstox/CANARY',
      { body: '{"token":"CANARY"}' },
      'POST /webhook/x/{path}',
    )
    await handler(webhook, lambdaContext())
    expect(output.lines()).toHaveLength(2)
    expect(output.text()).not.toMatch(/CANARY|192\.0\.2\.7|elsewhere/)
  })

  test('has what the site says of a page it could not show, without fields that are not on the list', async () => {
    handler = siteHandler((telemetry) => {
      telemetry.error('a page could not be shown', { code: 'state', account: 'fyers', query: 'CANARY' })
      return { app: echo(), clock: systemClock }
    })
    await handler(CALLBACK, lambdaContext())
    expect(output.lines()).toContainEqual(
      expect.objectContaining({ level: 'ERROR', message: 'a page could not be shown', code: 'state' }),
    )
    expect(output.text()).not.toContain('CANARY')
  })

  test.each([
    ['a cookie with a line break', { cookies: ['tokenkeeper=CANARY\r\nx: y'] }],
    ['a header with a control character', { headers: { 'x-odd': 'CANARY\u0000' } }],
  ])('holds nothing of %s, which is a bad request', async (_, more) => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {})
    const reply = await handler(request('GET', '/login', more), lambdaContext())
    expect(reply.statusCode).toBe(400)
    expect(printed).not.toHaveBeenCalled()
    expect(output.lines()).toMatchObject([{ status: 400, route: 'GET /login' }])
    expect(output.text()).not.toContain('CANARY')
  })
})

describe('a broken world', () => {
  test('is thrown as an error without secrets, fields or cause', async () => {
    const error = await handler(request('GET', '/broken'), lambdaContext()).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ name: 'TypeError', message: 'cannot read [secret]' })
    expect(String((error as Error).stack) + output.text()).not.toContain('CANARY')
  })

  test('such as a wrong environment names what is missing', async () => {
    await expect(siteHandler(composePagesFromEnvironment)(CALLBACK, lambdaContext())).rejects.toThrow(
      /TOKENKEEPER_BROKERS is not set.*To mend it: deploy the stack again/,
    )
  })
})
