/** How an alarm of the stack differs from one on a metric of its own. */
export interface AlarmChange {
  readonly name?: string
  readonly description?: string | undefined
  readonly from?: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA'
  readonly to?: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA'
  readonly metric?: string
  readonly dimensions?: Readonly<Record<string, string>>
}

/** What CloudWatch calls a function with when an alarm changes its state, as its manual shows it. */
export function alarmEvent({
  name = 'Tokenkeeper cannot renew accounts of FYERS',
  description,
  from = 'OK',
  to = 'ALARM',
  metric = 'Unsuccessful',
  dimensions = { broker: 'fyers' },
}: AlarmChange = {}): object {
  return {
    source: 'aws.cloudwatch',
    alarmArn: `arn:aws:cloudwatch:us-east-1:111122223333:alarm:${name}`,
    accountId: '111122223333',
    time: '2026-11-23T01:45:00.000+0000',
    region: 'us-east-1',
    alarmData: {
      alarmName: name,
      state: {
        value: to,
        reason: 'Threshold Crossed: 1 datapoint was greater than or equal to the threshold',
        reasonData: '{"version":"1.0"}',
        timestamp: '2026-11-23T01:45:00.000+0000',
      },
      previousState: { value: from, reason: 'said by CloudWatch', timestamp: '2026-11-23T01:30:00.000+0000' },
      configuration: {
        ...(description !== undefined && { description }),
        metrics: [
          {
            id: '00000000-0000-4000-8000-000000000001',
            metricStat: {
              metric: { namespace: 'Tokenkeeper', name: metric, dimensions },
              period: 60,
              stat: 'Maximum',
            },
            returnData: true,
          },
        ],
      },
    },
  }
}
