import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ALERT_QUEUE, type Deployment, EVENT_QUEUE, NAMES, PREFIX } from './deployment.ts'
import { parametersBelow, recordsOf } from './deployment-aws.ts'
import type { Output } from './deployment-secrets.ts'

/** What is stored beside the secrets and is none. */
const NO_SECRETS = /\/(client_id|base_url|email|owner)$/
/** The files the test itself writes secrets into, for `tokenkeeper setup --from-env`. */
const INPUT_FILES = '.env'

/** What SSM holds at a path below the prefix. */
export async function stored(path: string) {
  return (await parametersBelow(PREFIX)).get(`${PREFIX}/${path}`)
}

/** The state record of an account. */
export async function record(account: string) {
  return (await recordsOf(NAMES.table)).get(account)
}

/** Everything the function of a broker has logged. */
export async function logOf({ aws }: Deployment, broker: string): Promise<string> {
  return (await aws.logs())[`/aws/lambda/${NAMES.function(broker)}`] ?? ''
}

/** A message as SNS hands it to a queue. */
interface Mail {
  /** Of an alert. */
  readonly Subject?: string
  readonly Message: string
  readonly MessageAttributes: Readonly<Record<string, { readonly Value: string }>>
}

/** The alerts about an account that a subscriber of the topic got so far. */
export async function alertsAbout({ aws }: Deployment, account: string): Promise<readonly Mail[]> {
  return messagesAbout(account, await aws.messages(ALERT_QUEUE))
}

/** The events about an account that a program which subscribed got so far. */
export async function eventsAbout({ aws }: Deployment, account: string): Promise<readonly Mail[]> {
  return messagesAbout(account, await aws.messages(EVENT_QUEUE))
}

function messagesAbout(account: string, bodies: readonly string[]): readonly Mail[] {
  const all = bodies.map((body) => JSON.parse(body) as Mail)
  return all.filter(({ MessageAttributes }) => MessageAttributes['account']?.Value === account)
}

/** Everything that was written outside SSM so far, by what wrote it. */
export async function writtenBy({ aws, emulator, folder, printed, replied }: Deployment) {
  const logs = Object.entries(await aws.logs())
  const records = [...(await recordsOf(NAMES.table)).values()]
  return {
    printed,
    replied,
    logged: logs.map(([where, text]) => ({ where, text })),
    sent: (await aws.messages()).map((text) => ({ where: 'a message', text })),
    recorded: records.map((item) => ({ where: `the record ${item['sk']}`, text: JSON.stringify(item) })),
    files: filesIn(folder),
    // Names of parameters, alerts and what functions print; no request of anybody.
    emulator: [{ where: 'the emulator', text: emulator.log() }],
  } satisfies Record<string, readonly Output[]>
}

/** Every secret there has been: the brokers' own and all that SSM holds. */
export async function secretsOf({ brokers }: Deployment): Promise<Readonly<Record<string, string>>> {
  const parameters = [...(await parametersBelow(PREFIX))].filter(([name]) => !NO_SECRETS.test(name))
  const stored = parameters.map(([name, { Value = '' }]) => [name, Value] as const)
  return { ...brokers.secrets(), ...Object.fromEntries(stored) }
}

/** Templates, bundles and whatever the programs left in their home. */
function filesIn(folder: string): readonly Output[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith(INPUT_FILES))
    .map(({ parentPath, name }) => join(parentPath, name))
    .map((path) => ({ where: path, text: readFileSync(path, 'utf8') }))
}
