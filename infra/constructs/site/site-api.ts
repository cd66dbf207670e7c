import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib'
import { AccessLogField, AccessLogFormat } from 'aws-cdk-lib/aws-apigateway'
import {
  type CfnStage,
  HttpApi,
  HttpMethod,
  HttpStage,
  LogGroupLogDestination,
} from 'aws-cdk-lib/aws-apigatewayv2'
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import { BROKERS } from '../../../lib/brokers/index.ts'
import type { Broker } from '../../../lib/ports/broker/broker.ts'

/** Requests per second over time, and at once: a handful of people, each page a few requests. */
const SITE_RATE = { rateLimit: 20, burstLimit: 40 }
/** One post per approval is honest; what comes faster is somebody guessing. */
const WEBHOOK_RATE = { ThrottlingRateLimit: 2, ThrottlingBurstLimit: 5 }
type Route = readonly [HttpMethod, string]

/** Every page but the webhooks: what is in no list API Gateway answers with 404, and no function runs. */
const PAGES: readonly Route[] = [
  [HttpMethod.GET, '/'],
  [HttpMethod.GET, '/login'],
  // Whoever types the address of a button is told so on a page of ours.
  [HttpMethod.GET, '/login/{proxy+}'],
  ...['start', 'approve', 'paste', 'prove'].flatMap((button) =>
    ofAccount(HttpMethod.POST, '/login', `/${button}`),
  ),
  [HttpMethod.GET, '/callback/{broker}'],
  ...ofAccount(HttpMethod.GET, '/receipt', '/{login}'),
  ...ofAccount(HttpMethod.GET, '/waiting'),
  [HttpMethod.GET, '/problem/{code}'],
]

/** The interface for programs: lib/rest. */
const REST: readonly Route[] = [
  ...['/health', '/openapi.json', '/docs', '/token/status', '/token/validate'].map(
    (path) => [HttpMethod.GET, path] as const,
  ),
  ...['/token', '/token/status', '/token/validate'].flatMap((what) =>
    ofAccount(HttpMethod.GET, '/accounts', what),
  ),
  [HttpMethod.POST, '/token/update'],
  ...['/token/update', '/refresh'].flatMap((what) => ofAccount(HttpMethod.POST, '/accounts', what)),
  [HttpMethod.POST, '/api/integration/tokens/refresh-all'],
  [HttpMethod.POST, '/api/integration/tokens/refresh/{userID}'],
]

/**
 * Of every broker that posts tokens to us, which nobody signs; whether or not it is switched on. API Gateway keeps the
 * limits of a route when the route goes, and then refuses every further change of the stage: so none ever goes. What is
 * posted for a broker that is switched off changes nothing, as no function of it is there.
 */
const WEBHOOKS: readonly Route[] = Object.values<Broker>(BROKERS)
  .filter(({ login }) => login?.approval)
  .map(({ id }) => [HttpMethod.POST, `/webhook/${id}/{path}`] as const)

/**
 * Neither query, path, cookie nor address: a query holds one-time codes and signatures, the path of the webhook is a
 * secret, and whoever calls is a person's telephone, which nobody needs to have on record. The route says which page.
 */
const ACCESS_LOG = AccessLogFormat.custom(
  JSON.stringify({
    requestId: AccessLogField.contextRequestId(),
    time: AccessLogField.contextRequestTime(),
    method: AccessLogField.contextHttpMethod(),
    route: AccessLogField.contextRouteKey(),
    status: AccessLogField.contextStatus(),
    milliseconds: AccessLogField.contextResponseLatency(),
    bytes: AccessLogField.contextResponseLength(),
    // API Gateway's own words, on the request and on calling the function; what that throws is in its log.
    error: AccessLogField.contextErrorMessage(),
    integrationError: AccessLogField.contextIntegrationErrorMessage(),
  }),
)

const WHY_NO_AUTHORIZER =
  'people come from a mail and brokers by a redirect: links are signed, forms and callbacks are bound to a cookie, ' +
  'and what a webhook brings is proven at the broker before it is believed'

/** A page about one account: a broker's default account has no name in its path. */
function ofAccount(method: HttpMethod, before: string, after = ''): readonly Route[] {
  return ['/{broker}', '/{broker}/{account}'].map((account) => [method, before + account + after] as const)
}

export interface SiteApiProps {
  readonly apiName: string
  readonly logRetention: RetentionDays
}

/** The site's address on the internet. It knows nothing of the functions, so that they can know it. */
export class SiteApi extends Construct {
  readonly api: HttpApi
  readonly #stage: HttpStage

  constructor(scope: Construct, id: string, props: SiteApiProps) {
    super(scope, id)
    this.api = new HttpApi(this, 'Api', {
      apiName: props.apiName,
      description: 'Where people log in at their brokers, and brokers call back',
      createDefaultStage: false,
    })
    const log = new LogGroup(this, 'AccessLog', {
      // All groups below /aws/vendedlogs share one line of the account's log policy, whose size is limited.
      logGroupName: `/aws/vendedlogs/apis/${props.apiName}`,
      retention: props.logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    })
    this.#stage = new HttpStage(this, 'Stage', {
      httpApi: this.api,
      autoDeploy: true,
      throttle: SITE_RATE,
      accessLogSettings: { destination: new LogGroupLogDestination(log), format: ACCESS_LOG },
    })
  }

  /** Lets a function answer the pages, and what brokers post. */
  pagesBy(handler: IFunction): void {
    this.#answer('Integration', handler, [...PAGES, ...WEBHOOKS])
    // The construct has no property for the limits of single routes.
    const stage = this.#stage.node.defaultChild as CfnStage
    stage.routeSettings = Object.fromEntries(WEBHOOKS.map((route) => [route.join(' '), WEBHOOK_RATE]))
  }

  /** Lets a function answer programs. */
  restBy(handler: IFunction): void {
    this.#answer('RestIntegration', handler, REST)
  }

  #answer(id: string, handler: IFunction, routes: readonly Route[]): void {
    const integration = new HttpLambdaIntegration(id, handler, {
      timeout: Duration.seconds(29),
      scopePermissionToRoute: false,
    })
    for (const [method, path] of routes) {
      for (const route of this.api.addRoutes({ path, methods: [method], integration })) {
        // A stage cannot limit a route that does not exist yet.
        this.#stage.node.addDependency(route)
        Validations.of(route).acknowledge({ id: 'AwsSolutions-APIG4', reason: WHY_NO_AUTHORIZER })
      }
    }
  }
}
