import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join, resolve } from 'node:path'
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { SNSClient, SubscribeCommand } from '@aws-sdk/client-sns'
import { SSMClient } from '@aws-sdk/client-ssm'
import { Template } from 'aws-cdk-lib/assertions'
import { ssmTokenVault } from '../../../lib/aws/ssm-token-vault.ts'
import { parseAccountId } from '../../../lib/model/account-id.ts'
import type { RunReport } from '../../../lib/model/outcome.ts'
import type { TokenVault } from '../../../lib/ports/token-vault.ts'
import { resourceNames } from '../../../lib/resource-names.ts'
import { ensureSigningKey, storedSigningKeys } from '../../../lib/site/signing-keys.ts'
import { webhookPath } from '../../../lib/site/webhook-path.ts'
import { systemClock } from '../../../lib/system-clock.ts'
import { FEATURE_FLAGS } from '../../infra/template.ts'
import { sameDay } from '../../support/same-day.ts'
import { PlainAws } from './deployment-aws.ts'
import type { SimulatedBrokers } from './deployment-brokers.ts'
import { type Ended, runNode, type Surroundings } from './deployment-processes.ts'
import type { Output } from './deployment-secrets.ts'
import { type Emulator, emulatorEnvironment, useEnvironment } from './emulator.ts'
import { startMinistack } from './ministack.ts'

const ROOT = resolve(import.meta.dirname, '../../..')
const CDK = join(ROOT, 'node_modules/aws-cdk/bin/cdk')
const CLI = join(ROOT, 'lib/cli/main.ts')
const AWS_ACCOUNT = '000000000000'
const REGION = 'us-east-1'

const STACK = 'TokenkeeperE2E'
export const PREFIX = '/e2e'
export const NAMES = resourceNames(STACK)
export const ALERT_QUEUE = `${STACK}-alerts-of-the-test`
export const EVENT_QUEUE = `${STACK}-events-of-the-test`

/** The project's stack on an emulated AWS, with simulated brokers. */
export class Deployment<Brokers extends SimulatedBrokers = SimulatedBrokers> {
  readonly emulator: Emulator
  readonly brokers: Brokers
  readonly aws: PlainAws
  /** Every file of this run: configuration, templates, bundles, home. It goes with the emulator's. */
  readonly folder: string
  /** What every process was called with and printed, so far. */
  readonly printed: Output[] = []
  /** What every function replied, so far. */
  readonly replied: Output[] = []
  readonly #lambda = new LambdaClient({ maxAttempts: 1 })
  readonly #surroundings: Surroundings
  readonly #ended = new AbortController()
  readonly #restoreEnvironment: () => void

  /**
   * Deploys with the project's own `cdk`. Throws with all it printed when that fails. `before` is what the emulated AWS has
   * by then, such as an earlier version.
   */
  static async make<Brokers extends SimulatedBrokers>(
    startBrokers: () => Promise<Brokers>,
    before: (deployment: Deployment<Brokers>) => Promise<void> = async () => {},
  ): Promise<Deployment<Brokers>> {
    const brokers = await startBrokers()
    const deployment = new Deployment(await startMinistack(), brokers)
    try {
      await deployment.#cdk('bootstrap', `aws://${AWS_ACCOUNT}/${REGION}`)
      await before(deployment)
      await deployment.deploy()
      await deployment.#subscribe(ALERT_QUEUE, NAMES.topic)
      await deployment.#subscribe(EVENT_QUEUE, NAMES.events)
    } catch (error) {
      await deployment.close()
      throw error
    }
    return deployment
  }

  private constructor(emulator: Emulator, brokers: Brokers) {
    this.emulator = emulator
    this.brokers = brokers
    this.aws = new PlainAws(emulator.endpoint)
    this.#restoreEnvironment = useEnvironment(emulator.endpoint)
    this.folder = join(emulator.folder, 'deployment')
    const temporary = join(this.folder, 'tmp')
    mkdirSync(temporary, { recursive: true })
    this.configure({})
    this.#surroundings = {
      cwd: this.folder,
      signal: this.#ended.signal,
      env: {
        ...emulatorEnvironment(emulator.endpoint),
        PATH: [dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter),
        HOME: this.folder,
        TMPDIR: temporary,
        CDK_DISABLE_CLI_TELEMETRY: 'true',
        CDK_DISABLE_VERSION_CHECK: '1',
      },
    }
  }

  /** What was deployed: the emulator drops some of it, such as time zones. */
  template(): Template {
    const file = join(this.folder, 'cdk.out', `${STACK}.template.json`)
    return Template.fromJSON(JSON.parse(readFileSync(file, 'utf8')))
  }

  /** What the deployment said at its end, such as the address of the site. */
  output(name: string): string {
    const said = this.printed.map(({ text }) => new RegExp(`${STACK}\\.${name} = (\\S+)`).exec(text)?.[1])
    const value = said.find((one) => one !== undefined)
    if (value === undefined) throw new Error(`the stack has no output ${name}`)
    return value
  }

  /**
   * A path of the login site at an address that needs no name: the emulator has pages of its own at some paths, and
   * not everybody finds `*.localhost`.
   */
  siteByPath(path: string): string {
    const [id] = new URL(this.output('SiteUrl')).hostname.split('.')
    return `${this.emulator.endpoint}/_aws/execute-api/${id}/$default${path}`
  }

  /** Makes the key of the site's links, which no function may write. */
  async makeSigningKey(): Promise<void> {
    await ensureSigningKey(vault())
  }

  /** Where the broker of an account posts approvals. */
  async webhookPath(account: string): Promise<string> {
    const path = await webhookPath(storedSigningKeys(vault(), systemClock), parseAccountId(account))
    if (path === undefined) throw new Error('there is no key to sign with')
    return path
  }

  /** `tokenkeeper setup` with a .env file of this text. Throws when it fails. */
  async setUp(account: string, variables: string): Promise<void> {
    const file = join(this.folder, `${account.replace('/', '-')}.env`)
    writeFileSync(file, variables, { mode: 0o600 })
    const { code, stderr } = await this.tokenkeeper(['setup', account, '--from-env', file])
    if (code !== 0) throw new Error(`tokenkeeper setup ${account} ended with ${code}: ${stderr}`)
  }

  /** Runs the project's command line against the stack. */
  tokenkeeper(args: readonly string[], stdin?: string): Promise<Ended> {
    const where = ['--backend', 'aws', '--config', join(this.folder, 'cdk.json')]
    // On the day of the functions; cdk stays on the emulator's, whose events it waits for.
    return this.#run(['tokenkeeper', ...args].join(' '), [CLI, ...args, ...where], stdin, sameDay())
  }

  /** Invokes a broker's function and returns its report. Throws what the function threw. */
  async invoke(broker: string, event: object): Promise<RunReport> {
    const { Payload = [], FunctionError } = await this.#lambda.send(invocation(broker, event))
    const text = Buffer.from(Payload).toString()
    this.replied.push({ where: `the reply of ${NAMES.function(broker)}`, text })
    if (FunctionError) throw new Error(`${FunctionError}: ${text}`)
    return JSON.parse(text) as RunReport
  }

  /** Invokes a broker's function without waiting for it. */
  async start(broker: string, event: object): Promise<void> {
    await this.#lambda.send(invocation(broker, event, 'Event'))
  }

  /** Stops everything and removes every file. */
  async close(): Promise<void> {
    this.#ended.abort()
    this.#restoreEnvironment()
    await Promise.all([this.brokers.close(), this.emulator.stop()])
  }

  /** Writes its cdk.json, with these settings beside those every deployment here has. */
  configure(settings: object): void {
    writeFileSync(join(this.folder, 'cdk.json'), JSON.stringify(configuration(this.brokers, settings)))
  }

  /** Deploys what its cdk.json says. Throws with all that was printed when that fails. */
  async deploy(...options: readonly string[]): Promise<void> {
    await this.#cdk('deploy', '--require-approval', 'never', ...options)
  }

  /** Ends the stack, as `npx cdk destroy` does. */
  async destroy(): Promise<void> {
    await this.#cdk('destroy', '--force')
  }

  async #cdk(...args: readonly string[]): Promise<void> {
    const title = `cdk ${args[0]}`
    const { code, stdout, stderr } = await this.#run(title, [CDK, ...args, '--no-notices'])
    if (code !== 0) throw new Error(`${title} ended with ${code}:\n${stdout}\n${stderr}`)
  }

  async #run(
    where: string,
    args: readonly string[],
    stdin?: string,
    variables: Readonly<Record<string, string>> = {},
  ): Promise<Ended> {
    const { env, ...others } = this.#surroundings
    const ended = await runNode(args, { ...others, env: { ...env, ...variables } }, stdin)
    this.printed.push({ where, text: [...args, ended.stdout, ended.stderr].join('\n') })
    return ended
  }

  /** Makes a queue that gets every message of a topic. */
  async #subscribe(queueName: string, topicName: string): Promise<void> {
    await this.aws.createQueue(queueName)
    const TopicArn = `arn:aws:sns:${REGION}:${AWS_ACCOUNT}:${topicName}`
    const Endpoint = `arn:aws:sqs:${REGION}:${AWS_ACCOUNT}:${queueName}`
    await new SNSClient().send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint }))
  }
}

function vault(): TokenVault {
  return ssmTokenVault({ client: new SSMClient(), prefix: PREFIX, clock: systemClock })
}

function invocation(
  broker: string,
  event: object,
  InvocationType: 'Event' | 'RequestResponse' = 'RequestResponse',
) {
  const Payload = Buffer.from(JSON.stringify(event))
  return new InvokeCommand({ FunctionName: NAMES.function(broker), InvocationType, Payload })
}

/** A cdk.json of the same shape as the project's. */
function configuration({ settings }: SimulatedBrokers, more: object): object {
  // Once a year: the emulator's scheduler really fires, and a run in the middle of a test would do its work.
  const schedules = ['cron(5 4 1 1 ? *)']
  const brokers = Object.entries(settings).map(([id, own]) => [id, { schedules, ...own }])
  return {
    app: `"${process.execPath}" "${join(ROOT, 'infra/app.ts')}"`,
    output: 'cdk.out',
    context: {
      ...FEATURE_FLAGS,
      tokenkeeper: {
        stackName: STACK,
        prefix: PREFIX,
        alertEmails: ['operator@example.com'],
        brokers: Object.fromEntries(brokers),
        ...more,
      },
    },
  }
}
