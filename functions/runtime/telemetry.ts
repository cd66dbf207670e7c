import { Logger } from '@aws-lambda-powertools/logger'
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics'
import { worded } from '../../lib/model/command-words.ts'
import { maskSecrets } from '../../lib/model/secrets/secret.ts'
import type { Fields, Metric, Telemetry } from '../../lib/ports/telemetry.ts'
import { stackWords } from './stack-words.ts'

/** The namespace where the stack names none. */
const DEFAULT_NAMESPACE = 'Tokenkeeper'

/**
 * The only fields that a log line may have, besides its message and what Powertools adds about the
 * invocation.
 */
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

/**
 * What is rare and alike for every broker, and counted for the stack as a whole: infra/constructs/alarms/stack-alarms.ts has
 * one alarm on each, however many brokers there are.
 */
const OF_THE_STACK: ReadonlySet<Metric> = new Set([
  'TokenLost',
  'NotifyFailed',
  'SubscriberFailed',
  'ClockDriftSeconds',
])

/** The Telemetry port on Powertools, with the instances that the middleware needs. */
export interface LambdaTelemetry extends Telemetry {
  readonly logger: Logger
  /** Writes what was counted and not written yet. */
  publish(): void
}

/**
 * Telemetry of one broker: logs as JSON lines, metrics in the embedded metric format. A field that is not on
 * the list is dropped, and known secrets are masked in every text.
 */
export function lambdaTelemetry(broker: string): LambdaTelemetry {
  const logger = maskingLogger(broker)
  const namespace = process.env['POWERTOOLS_METRICS_NAMESPACE'] || DEFAULT_NAMESPACE
  const ofBroker = metricsOf({ broker })
  const ofStack = metricsOf({ stack: namespace })

  function metricsOf(dimensions: Record<string, string>): Metrics {
    const metrics = new Metrics({ namespace, logger })
    // One dimension: Powertools' own "service" would make every alarm name it too.
    metrics.clearDefaultDimensions()
    metrics.setDefaultDimensions(dimensions)
    return metrics
  }

  return {
    logger,
    publish() {
      for (const metrics of [ofBroker, ofStack]) {
        if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics()
      }
    },
    info: (message, fields) => logger.info(message, allowed(fields)),
    warn: (message, fields) => logger.warn(message, allowed(fields)),
    error: (message, fields) => logger.error(message, allowed(fields)),
    // A function serves one broker, so the dimension is set once above.
    count(metric, _broker, value = 1) {
      const metrics = OF_THE_STACK.has(metric) ? ofStack : ofBroker
      // What a person finds in the log of this function has its broker beside it.
      ofStack.addMetadata('broker', broker)
      metrics.addMetric(metric, metric.endsWith('Seconds') ? MetricUnit.Seconds : MetricUnit.Count, value)
    },
  }
}

/**
 * A logger of JSON lines for one function. In every text known secrets are masked, and commands are written
 * as they run.
 */
export function maskingLogger(name: string): Logger {
  return new Logger({
    serviceName: `tokenkeeper-${name}`,
    jsonReplacerFn: (_key, value) =>
      typeof value === 'string' ? worded(maskSecrets(value), stackWords()) : value,
  })
}

/** Those of a line's fields that are on the list. */
export function allowed(fields: Fields = {}): Record<string, string | number | boolean> {
  return Object.fromEntries(
    LOGGED_FIELDS.flatMap((name) => {
      const value = fields[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
}
