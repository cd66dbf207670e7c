import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware'
import middy from '@middy/core'
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda'
import { type APIGatewayProxyResult, handle, type LambdaEvent } from 'hono/aws-lambda'
import { ALLOWED_METHODS, isRefusedMethod } from '../../../lib/http/refused-methods.ts'
import { forgetSecrets } from '../../../lib/model/secrets/secret.ts'
import type { Fields } from '../../../lib/ports/telemetry.ts'
import { presentable } from '../refresh/presentable.ts'
import { allowed, maskingLogger } from '../telemetry.ts'
import type { ComposeSite, SiteComposition } from './site-composition.ts'

export type SiteHandler = (event: APIGatewayProxyEventV2, context: Context) => Promise<APIGatewayProxyResult>

/** Characters that no header may have (RFC 9110 section 5.5), and that API Gateway never lets through. */
const CONTROL_CHARACTER = /(?!\t)\p{Cc}/u
const EMPTY = { body: '', isBase64Encoded: false }
const BAD_REQUEST: APIGatewayProxyResult = { ...EMPTY, statusCode: 400, headers: {} }
const NOT_ALLOWED: APIGatewayProxyResult = { ...EMPTY, statusCode: 405, headers: { allow: ALLOWED_METHODS } }

/**
 * The Lambda handler of the login site, behind an HTTP API with payloads of format 2.0. The log has only a
 * request's route and how it ended: a query contains one-time codes, the webhook's path is a secret, and
 * cookies and bodies are private.
 *
 * `compose` builds the site once per container, at the first request.
 */
export function siteHandler(compose: ComposeSite): SiteHandler {
  const logger = maskingLogger('site')
  const telemetry = {
    info: (message: string, fields?: Fields) => logger.info(message, allowed(fields)),
    warn: (message: string, fields?: Fields) => logger.warn(message, allowed(fields)),
    error: (message: string, fields?: Fields) => logger.error(message, allowed(fields)),
  }
  let composition: SiteComposition | undefined

  const respond = async (event: APIGatewayProxyEventV2): Promise<APIGatewayProxyResult> => {
    try {
      composition ??= compose(telemetry)
      const { app, clock } = composition
      const startedAt = clock.now()
      // Hono has its own type for the same event.
      const request = event as unknown as LambdaEvent
      const refusal = refusalOf(event)
      const reply = refusal ?? (await handle(app)(request))
      logger.info('request', {
        // The route in API Gateway's words, such as "POST /webhook/upstox/{path}".
        route: event.routeKey,
        request: event.requestContext.requestId,
        status: reply.statusCode,
        milliseconds: clock.now().since(startedAt).total('milliseconds'),
      })
      return reply
    } catch (error) {
      throw presentable(error)
    } finally {
      forgetSecrets()
    }
  }

  return middy<APIGatewayProxyEventV2, APIGatewayProxyResult>()
    .use(injectLambdaContext(logger, { logEvent: false }))
    .handler(respond)
}

/** The reply to an event that Hono cannot make a request of. */
function refusalOf(event: APIGatewayProxyEventV2): APIGatewayProxyResult | undefined {
  if (isRefusedMethod(event.requestContext.http.method)) return NOT_ALLOWED
  return isReadable(event) ? undefined : BAD_REQUEST
}

/** Whether Hono can read the headers; it would print those that it cannot. */
function isReadable({ headers, cookies = [] }: APIGatewayProxyEventV2): boolean {
  return ![...Object.values(headers), ...cookies].some((value) => CONTROL_CHARACTER.test(value ?? ''))
}
