import { Logger } from '@aws-lambda-powertools/logger'
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics'
import { worded } from '../../lib/model/command-words.ts'
import { maskSecrets } from '../../lib/model/secret.ts'
import type { Fields, Telemetry } from '../../lib/ports/telemetry.ts'
import { stackWords } from './stack-words.ts'

/** Where the stack does not name its own namespace. */
const DEFAULT_NAMESPACE = 'Tokenkeeper'

/** The only fields a log line may carry besides its message and what Powertools adds of the invocation. */
const LOGGED_FIELDS: readonly string[] = [
  'account',
  'accounts',
  'broker',
  'code',
  'continuation',
  'failed',
  'forced',
  'handedOver',
  'key',
  'kind',
  'nextAction',
  'reason',
  'refreshed',
  'request',
  'seconds',
  'skipped',
  'step',
  'success',
  'tokenValidity',
  'total',
  'version',
]

/** Powertools behind the Telemetry port, with the instances that the middleware needs. */
export interface LambdaTelemetry extends Telemetry {
  readonly logger: Logger
  readonly metrics: Metrics
}

/**
 * Logs as JSON lines and metrics as embedded metric format, for one broker. A field that is not on the list is
 * dropped, and every string of a line passes the mask of known secrets.
 */
export function lambdaTelemetry(broker: string): LambdaTelemetry {
  const logger = maskingLogger(broker)
  const metrics = new Metrics({
    namespace: process.env['POWERTOOLS_METRICS_NAMESPACE'] || DEFAULT_NAMESPACE,
    logger,
  })
  // The broker is the only dimension: Powertools' own "service" would make every alarm name it too.
  metrics.clearDefaultDimensions()
  metrics.setDefaultDimensions({ broker })
  return {
    logger,
    metrics,
    info: (message, fields) => logger.info(message, allowed(fields)),
    warn: (message, fields) => logger.warn(message, allowed(fields)),
    error: (message, fields) => logger.error(message, allowed(fields)),
    // A function serves one broker, so the dimension is set once above.
    count(metric, _broker, value = 1) {
      metrics.addMetric(metric, metric.endsWith('Seconds') ? MetricUnit.Seconds : MetricUnit.Count, value)
    },
  }
}

/** JSON lines for one function; every string passes the mask of known secrets, and names commands as they run. */
export function maskingLogger(name: string): Logger {
  return new Logger({
    serviceName: `tokenkeeper-${name}`,
    jsonReplacerFn: (_key, value) =>
      typeof value === 'string' ? worded(maskSecrets(value), stackWords()) : value,
  })
}

/** What of a line's fields is on the list. */
export function allowed(fields: Fields = {}): Record<string, string | number | boolean> {
  return Object.fromEntries(
    LOGGED_FIELDS.flatMap((name) => {
      const value = fields[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
}
