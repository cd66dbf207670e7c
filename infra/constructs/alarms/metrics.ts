import { Duration } from 'aws-cdk-lib'
import { Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch'
import type { Metric as MetricName } from '../../../lib/ports/telemetry.ts'

/** What one broker's function counts for itself, as functions/runtime/telemetry.ts does: the largest in a minute. */
export function brokerMetric(namespace: string, metricName: MetricName, broker: string): Metric {
  return new Metric({
    namespace,
    metricName,
    dimensionsMap: { broker },
    statistic: Stats.MAXIMUM,
    period: Duration.minutes(1),
  })
}

/** What the functions of all brokers count together: one metric and one alarm, however many brokers there are. */
export function stackMetric(
  namespace: string,
  metricName: MetricName,
  statistic: string = Stats.SUM,
): Metric {
  return new Metric({
    namespace,
    metricName,
    dimensionsMap: { stack: namespace },
    statistic,
    period: Duration.minutes(5),
  })
}
