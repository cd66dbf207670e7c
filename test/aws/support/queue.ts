/** One SQS queue on an emulator, in SQS' plain JSON protocol: its SDK is no dependency of the project. */
export class Queue {
  readonly arn: string
  readonly #endpoint: string
  readonly #url: string

  static async create(endpoint: string, name: string): Promise<Queue> {
    const { QueueUrl } = await call<{ QueueUrl: string }>(endpoint, 'CreateQueue', { QueueName: name })
    return new Queue(endpoint, QueueUrl)
  }

  private constructor(endpoint: string, url: string) {
    this.#endpoint = endpoint
    this.#url = url
    const [account, name] = url.split('/').slice(-2)
    this.arn = `arn:aws:sqs:us-east-1:${account}:${name}`
  }

  /** The bodies of what has arrived so far and was not received before. */
  async receive(): Promise<readonly string[]> {
    type Reply = { readonly Messages?: readonly { readonly Body: string }[] }
    const request = { QueueUrl: this.#url, MaxNumberOfMessages: 10 }
    const { Messages = [] } = await call<Reply>(this.#endpoint, 'ReceiveMessage', request)
    return Messages.map(({ Body }) => Body)
  }
}

async function call<Reply>(endpoint: string, operation: string, body: object): Promise<Reply> {
  const reply = await fetch(endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `AmazonSQS.${operation}`,
      // The emulator reads the service from it and checks no signature.
      authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=none`,
    },
    body: JSON.stringify(body),
  })
  if (!reply.ok) throw new Error(`sqs ${operation}: ${reply.status} ${await reply.text()}`)
  return (await reply.json()) as Reply
}
