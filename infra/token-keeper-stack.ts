import { CfnOutput, Stack, type StackProps, Tags } from 'aws-cdk-lib'
import type { RetentionDays } from 'aws-cdk-lib/aws-logs'
import type { Construct } from 'constructs'
import { type Config, enabledBrokers } from '../lib/config.ts'
import { stackCommand } from '../lib/model/command-words.ts'
import { resourceNames } from '../lib/resource-names.ts'
import { AlarmTeller } from './constructs/alarms/alarm-teller.ts'
import { StackAlarms } from './constructs/alarms/stack-alarms.ts'
import { Alerts } from './constructs/alerts.ts'
import { BrokerRefresher } from './constructs/broker/refresher.ts'
import { assertFunctionNames } from './constructs/function-name.ts'
import { ConsumerPolicy } from './constructs/policy/consumer-policy.ts'
import { PrefixOwner } from './constructs/policy/prefix-owner.ts'
import { reachableRedis } from './constructs/reachable-redis.ts'
import { ScheduledStarts } from './constructs/scheduled-starts.ts'
import { Rest } from './constructs/site/rest.ts'
import { Site } from './constructs/site/site.ts'
import { SiteApi } from './constructs/site/site-api.ts'
import type { SiteBroker } from './constructs/site/web-function.ts'
import { StateTable } from './constructs/state-table.ts'
import { SubscriptionCheck } from './constructs/subscription-check.ts'
import { TokenEvents } from './constructs/token-events.ts'
import { vaultKeys } from './constructs/vault-keys.ts'

export interface TokenKeeperStackProps extends StackProps {
  readonly config: Config
  /** @default - those that are switched on in the configuration */
  readonly brokers?: ReturnType<typeof enabledBrokers>
}

/** One refresher per enabled broker, around one state table and one topic; and the site where people log in. */
export class TokenKeeperStack extends Stack {
  constructor(scope: Construct, id: string, props: TokenKeeperStackProps) {
    const { config, brokers = enabledBrokers(props.config) } = props
    super(scope, id, { ...props, terminationProtection: config.deletionProtection, tags: config.tags })
    // In the template as well: the tags of a stack alone reach only what CloudFormation hands them on to.
    for (const [key, value] of Object.entries(config.tags)) Tags.of(this).add(key, value)
    const names = resourceNames(config.stackName)
    const scheduled = [...brokers.map(({ broker }) => names.function(broker.id)), names.subscriptionCheck]
    assertFunctionNames([...scheduled, names.site, names.rest, names.alarms])
    const keys = vaultKeys(this, config)
    if (keys.present) {
      new CfnOutput(this, 'VaultKeyArn', {
        value: keys.present.arn,
        description: 'Encrypts the secrets; cdk.json has to name it for as long as one of them lies under it',
      })
    }
    const { owner } = new PrefixOwner(this, 'PrefixOwner', {
      prefix: config.prefix,
      stackName: config.stackName,
    })
    const { table } = new StateTable(this, 'State', {
      tableName: names.table,
      deletionProtection: config.deletionProtection,
    })
    const alerts = new Alerts(this, 'Alerts', { topicName: names.topic, emails: config.alertEmails })
    new CfnOutput(this, 'AlertTopicArn', {
      value: alerts.topic.topicArn,
      description: 'Subscribe to be told',
    })
    const events = config.events ? new TokenEvents(this, 'Events', { topicName: names.events }) : undefined
    if (events) {
      new CfnOutput(this, 'TokenEventsTopicArn', {
        value: events.topic.topicArn,
        description: 'Subscribe programs to hear of new tokens',
      })
    }
    const redis = reachableRedis(this, config.mirrors.redis)
    // CDK's RetentionDays are the numbers of days themselves.
    const logRetention = config.logRetentionDays as RetentionDays
    const command = stackCommand(config.backend)
    const teller = new AlarmTeller(this, 'Alarms', {
      functionName: names.alarms,
      stackName: config.stackName,
      topic: alerts.topic,
      logRetention,
      command,
    })
    const telling = { stackName: config.stackName, action: teller.action }
    const starts = new ScheduledStarts(this, 'Starts', {
      queueName: names.undelivered,
      groupName: names.schedules,
      functionNames: scheduled,
      telling,
    })
    if (brokers.length > 0) {
      new StackAlarms(this, 'StackAlarms', {
        metricsNamespace: config.stackName,
        watchesMirror: redis !== undefined,
        command,
        telling,
      })
    }
    // Also without a login to make: programs ask it for tokens.
    const hasSite = config.site.enabled && brokers.length > 0
    const siteApi = hasSite ? new SiteApi(this, 'SiteApi', { apiName: names.site, logRetention }) : undefined
    const siteUrl = siteApi && (config.site.url ? new URL(config.site.url).origin : siteApi.api.apiEndpoint)
    const siteBrokers: SiteBroker[] = []

    for (const { broker, settings } of brokers) {
      const name = pascalCase(broker.id)
      const refresher = new BrokerRefresher(this, name, {
        broker,
        settings,
        marketDays: config.markets,
        functionName: names.function(broker.id),
        stackName: config.stackName,
        parameterPrefix: config.prefix,
        owner,
        table,
        topic: alerts.topic,
        eventsTopic: events?.topic,
        redis,
        starts,
        telling,
        metricsNamespace: config.stackName,
        logRetention,
        allowHttpHosts: config.allowHttpHosts,
        vaultKeys: keys,
        siteUrl,
        command,
      })
      new CfnOutput(this, `${name}FunctionName`, { value: refresher.function.functionName })
      const consumer = new ConsumerPolicy(this, `${name}Consumer`, {
        brokerId: broker.id,
        parameterPrefix: config.prefix,
        vaultKeys: keys,
      })
      new CfnOutput(this, `${name}ConsumerPolicyArn`, {
        value: consumer.policy.managedPolicyArn,
        description: `For programs that use tokens of ${broker.displayName}`,
      })
      siteBrokers.push({
        brokerId: broker.id,
        function: refresher.function,
        headerNamesApp: broker.authorization?.includes('{client_id}') ?? false,
        settings,
      })
    }

    new SubscriptionCheck(this, 'SubscriptionCheck', {
      functionName: names.subscriptionCheck,
      stackName: config.stackName,
      table,
      brokers,
      topic: alerts.topic,
      emails: config.alertEmails,
      timeZone: brokers[0]?.broker.schedule.timeZone ?? 'UTC',
      metricsNamespace: config.stackName,
      starts,
      telling,
      logRetention,
      command,
    })

    if (!siteApi || siteUrl === undefined) return
    const web = {
      reservedConcurrency: config.site.reservedConcurrency,
      stackName: config.stackName,
      api: siteApi,
      siteUrl,
      parameterPrefix: config.prefix,
      table,
      brokers: siteBrokers,
      marketDays: config.markets,
      allowHttpHosts: config.allowHttpHosts,
      telling,
      logRetention,
      vaultKeys: keys,
      command,
    }
    new Site(this, 'Site', { ...web, functionName: names.site })
    if (config.site.rest) new Rest(this, 'Rest', { ...web, functionName: names.rest })
    new CfnOutput(this, 'SiteUrl', { value: siteUrl, description: 'Where people log in' })
  }
}

/** `pos-connector` becomes `PosConnector`, as construct ids are written. */
function pascalCase(brokerId: string): string {
  return brokerId.replace(/(?:^|-)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}
