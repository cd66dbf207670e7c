import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb'
import { GetParametersByPathCommand, type Parameter, SSMClient } from '@aws-sdk/client-ssm'
import { unmarshall } from '@aws-sdk/util-dynamodb'

/** All parameters below a path by their names, decrypted. */
export async function parametersBelow(path: string): Promise<ReadonlyMap<string, Parameter>> {
  const client = new SSMClient()
  const found = new Map<string, Parameter>()
  let NextToken: string | undefined
  do {
    const page = await client.send(
      new GetParametersByPathCommand({ Path: path, Recursive: true, WithDecryption: true, NextToken }),
    )
    for (const parameter of page.Parameters ?? []) found.set(String(parameter.Name), parameter)
    NextToken = page.NextToken
  } while (NextToken !== undefined)
  return found
}

/** All records of a table, by their account. */
export async function recordsOf(table: string): Promise<ReadonlyMap<string, Record<string, unknown>>> {
  const { Items = [] } = await new DynamoDBClient().send(
    new ScanCommand({ TableName: table, ConsistentRead: true }),
  )
  return new Map(Items.map((item) => unmarshall(item)).map((record) => [String(record['account']), record]))
}

/** The services of AWS whose SDK is no dependency of the project, in their plain protocols. */
export class PlainAws {
  readonly #endpoint: string

  constructor(endpoint: string) {
    this.#endpoint = endpoint
  }

  async createQueue(name: string): Promise<void> {
    await this.#post('sqs', 'AmazonSQS.CreateQueue', { QueueName: name })
  }

  /** The bodies of all messages in a queue, which stay there; of all queues where none is named. */
  async messages(queue = ''): Promise<readonly string[]> {
    const reply = await fetch(`${this.#endpoint}/_ministack/sqs/messages`)
    type Queues = Record<string, readonly { readonly Body: string }[]>
    const { messages } = (await reply.json()) as { messages: Record<string, Record<string, Queues>> }
    const queues = Object.values(messages).flatMap((regions) =>
      Object.values(regions).flatMap(Object.entries),
    )
    return (queues as [string, Queues[string]][]).flatMap(([url, found]) =>
      url.endsWith(queue) ? found.map(({ Body }) => Body) : [],
    )
  }

  /** The events of every log group, one a line, by its name. */
  async logs(): Promise<Readonly<Record<string, string>>> {
    type Groups = { readonly logGroups: readonly { readonly logGroupName: string }[] }
    type Events = { readonly events: readonly { readonly message: string }[] }
    const { logGroups } = await this.#post<Groups>('logs', 'Logs_20140328.DescribeLogGroups', {})
    const read = async ({ logGroupName }: { readonly logGroupName: string }) => {
      const request = { logGroupName, limit: 10_000 }
      const { events } = await this.#post<Events>('logs', 'Logs_20140328.FilterLogEvents', request)
      return [logGroupName, events.map(({ message }) => message).join('\n')] as const
    }
    return Object.fromEntries(await Promise.all(logGroups.map(read)))
  }

  /** What each schedule sends, by the name of the function it starts. */
  async scheduledInputs(): Promise<Readonly<Record<string, string>>> {
    type Schedules = { readonly Schedules: readonly { readonly Name: string; readonly GroupName: string }[] }
    type Schedule = { readonly Target: { readonly Arn: string; readonly Input: string } }
    const { Schedules } = await this.#send<Schedules>('scheduler', '/schedules')
    const schedules = await Promise.all(
      Schedules.map(({ Name, GroupName }) =>
        this.#send<Schedule>('scheduler', `/schedules/${Name}?groupName=${GroupName}`),
      ),
    )
    return Object.fromEntries(schedules.map(({ Target }) => [Target.Arn.split(':').at(-1), Target.Input]))
  }

  /** Makes a stack of a template without assets, and waits for it. */
  async createStack(name: string, template: object): Promise<void> {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const ask = (Action: string, more: Readonly<Record<string, string>> = {}): Promise<string> => {
      const body = new URLSearchParams({ Action, Version: '2010-05-15', StackName: name, ...more })
      return this.#text('cloudformation', '/', { method: 'POST', headers, body: body.toString() })
    }
    await ask('CreateStack', {
      TemplateBody: JSON.stringify(template),
      'Capabilities.member.1': 'CAPABILITY_NAMED_IAM',
    })
    let status = ''
    do status = /<StackStatus>(\w+)/.exec(await ask('DescribeStacks'))?.[1] ?? ''
    while (status === 'CREATE_IN_PROGRESS')
    if (status !== 'CREATE_COMPLETE') throw new Error(`${status}: ${await ask('DescribeStackEvents')}`)
  }

  /** What KMS says of a key. */
  async keyState(keyId: string): Promise<string> {
    type Described = { readonly KeyMetadata: { readonly KeyState: string } }
    const { KeyMetadata } = await this.#post<Described>('kms', 'TrentService.DescribeKey', { KeyId: keyId })
    return KeyMetadata.KeyState
  }

  #post<Reply>(service: string, target: string, body: object): Promise<Reply> {
    return this.#send<Reply>(service, '/', {
      method: 'POST',
      headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target },
      body: JSON.stringify(body),
    })
  }

  async #send<Reply>(service: string, path: string, init: RequestInit = {}): Promise<Reply> {
    return JSON.parse(await this.#text(service, path, init)) as Reply
  }

  async #text(service: string, path: string, init: RequestInit): Promise<string> {
    const headers = new Headers(init.headers)
    // The emulator reads the service from it and checks no signature.
    const scope = `Credential=test/20260101/us-east-1/${service}/aws4_request`
    headers.set('authorization', `AWS4-HMAC-SHA256 ${scope}, SignedHeaders=host, Signature=none`)
    const reply = await fetch(this.#endpoint + path, { ...init, headers })
    if (!reply.ok) throw new Error(`${service} ${path}: ${reply.status} ${await reply.text()}`)
    return reply.text()
  }
}
