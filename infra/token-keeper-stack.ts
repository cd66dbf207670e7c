import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib'
import type { RetentionDays } from 'aws-cdk-lib/aws-logs'
import type { Construct } from 'constructs'
import { type Config, enabledBrokers } from '../lib/config.ts'
import { resourceNames } from '../lib/resource-names.ts'
import { Alerts } from './constructs/alerts.ts'
import { BrokerRefresher } from './constructs/broker-refresher.ts'
import { StateTable } from './constructs/state-table.ts'
import { VaultKey } from './constructs/vault-key.ts'

export interface TokenKeeperStackProps extends StackProps {
  readonly config: Config
}

/** One refresher per enabled broker, around one state table and one topic. */
export class TokenKeeperStack extends Stack {
  constructor(scope: Construct, id: string, props: TokenKeeperStackProps) {
    super(scope, id, props)
    const { config } = props
    const names = resourceNames(config.stackName)
    const vaultKey = config.customerManagedKey
      ? new VaultKey(this, 'VaultKey', { alias: config.stackName })
      : undefined
    const { table } = new StateTable(this, 'State', { tableName: names.table })
    const alerts = new Alerts(this, 'Alerts', { topicName: names.topic, emails: config.alertEmails })
    new CfnOutput(this, 'AlertTopicArn', {
      value: alerts.topic.topicArn,
      description: 'Subscribe to be told',
    })

    for (const { broker, settings } of enabledBrokers(config)) {
      const name = pascalCase(broker.id)
      const refresher = new BrokerRefresher(this, name, {
        brokerId: broker.id,
        displayName: broker.displayName,
        functionName: names.function(broker.id),
        parameterPrefix: config.prefix,
        table,
        topic: alerts.topic,
        alarmAction: alerts.action,
        metricsNamespace: config.stackName,
        schedules: settings.schedules,
        timeZone: settings.timeZone,
        timeoutMinutes: settings.timeoutMinutes,
        memoryMb: settings.memoryMb,
        // CDK's RetentionDays are the numbers of days themselves.
        logRetention: config.logRetentionDays as RetentionDays,
        pacingSeconds: settings.pacingSeconds,
        leewayMinutes: settings.leewayMinutes,
        maxLifetimeHours: settings.maxLifetimeHours,
        hosts: settings.hosts,
        allowHttpHosts: config.allowHttpHosts,
        vaultKey: vaultKey?.key,
      })
      new CfnOutput(this, `${name}FunctionName`, { value: refresher.function.functionName })
    }
  }
}

/** `pos-connector` becomes `PosConnector`, as construct ids are written. */
function pascalCase(brokerId: string): string {
  return brokerId.replace(/(?:^|-)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}
