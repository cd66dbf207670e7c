import { GetAccountSettingsCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { GetServiceSettingCommand, type SSMClient } from '@aws-sdk/client-ssm'
import { type AwsFault, awsFault } from '../../aws/aws-fault.ts'
import { type Finding, note, pass, warn } from './finding.ts'

const HIGH_THROUGHPUT = '/ssm/parameter-store/high-throughput-enabled'
/** Each renewal writes once or twice; at three writes a second, more accounts than these take minutes. */
const MANY_ACCOUNTS = 200
/** Beside a run of each broker: people on the pages, programs that ask over REST, and other functions of the account. */
const FOR_OTHERS = 10

/** How many functions may run at once: all of an AWS account share it, and a new account has ten. */
export async function concurrencyFinding(brokers: number, client = new LambdaClient()): Promise<Finding> {
  const what = 'concurrency'
  try {
    const { AccountLimit } = await client.send(new GetAccountSettingsCommand({}))
    const free = AccountLimit?.UnreservedConcurrentExecutions ?? 0
    const says = `${free} functions of this AWS account may run at once in this region`
    if (free >= brokers + FOR_OTHERS) return pass(what, says)
    return warn(
      what,
      `${says}; ${brokers} brokers, the login page and all else share them, and what finds none is late or refused`,
      'an administrator of the AWS account asks for more: aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 --desired-value 1000',
    )
  } catch (error) {
    return unknown(
      what,
      awsFault(error, {
        service: 'Lambda',
        operation: 'GetAccountSettings',
        action: 'lambda:GetAccountSettings',
        resource: 'account settings',
      }),
    )
  } finally {
    client.destroy()
  }
}

/** How many calls a second SSM takes: few, unless the account has switched its higher throughput on, which costs. */
export async function throughputFinding(accounts: number, client: SSMClient): Promise<Finding> {
  const what = 'throughput'
  try {
    const { ServiceSetting } = await client.send(new GetServiceSettingCommand({ SettingId: HIGH_THROUGHPUT }))
    if (ServiceSetting?.SettingValue === 'true') return pass(what, 'the higher throughput of SSM is on')
    const says = 'SSM takes 40 reads and 3 writes a second from this AWS account'
    if (accounts < MANY_ACCOUNTS) return pass(what, says)
    return warn(
      what,
      `${says}; ${accounts} accounts that are renewed in the same quarter of an hour come near that`,
      `an administrator of the AWS account switches it on ($0.05 for 10,000 calls): aws ssm update-service-setting --setting-id ${HIGH_THROUGHPUT} --setting-value true`,
    )
  } catch (error) {
    return unknown(
      what,
      awsFault(error, {
        service: 'SSM',
        operation: 'GetServiceSetting',
        action: 'ssm:GetServiceSetting',
        resource: `setting ${HIGH_THROUGHPUT}`,
      }),
    )
  }
}

/** Who may not look has no fault in the set-up. */
function unknown(what: string, { message, fix }: AwsFault): Finding {
  return note(what, `not known: ${message}; to have it looked at, ${fix}`)
}
