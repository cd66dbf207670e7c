import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { emulatorEnvironment } from '../aws/support/emulator.ts'

const AWS_ACCOUNT = '111122223333'
export const TOPIC = `arn:aws:sns:us-east-1:${AWS_ACCOUNT}:Tokenkeeper-alerts`

/** How a subscription stands, with what SNS knows of it. */
export interface StandInSubscription {
  readonly protocol: string
  readonly endpoint: string
  readonly state: 'pending' | 'confirmed by link' | 'confirmed by a signed call' | 'removed'
  /** What its confirmation mail holds. */
  readonly token?: string
  /** The AWS account that subscribed it. */
  readonly owner?: string
}

interface Refusal {
  readonly code: string
  readonly status: number
}

/**
 * SNS as its API reference describes it, for what no emulator has: a mail address whose confirmation is awaited or was
 * given by following the link, removed subscriptions that stay listed, and another account's. And just enough of
 * Lambda, DynamoDB and SSM for the command line to find a deployed, empty stack.
 */
export class SnsStandIn {
  subscriptions: StandInSubscription[] = []
  /** The parameters of every call of an operation so far. */
  readonly calls: Readonly<Record<string, string>>[] = []
  /** What was put into DynamoDB, whatever its table. */
  readonly written: { readonly Item?: unknown }[] = []
  /** Operations that are refused. */
  readonly refused = new Map<string, Refusal>()
  /** Subscriptions on one page of a list; SNS has 100. */
  pageSize = 100
  readonly #server: Server

  static async start(): Promise<SnsStandIn> {
    const server = createServer()
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
    return new SnsStandIn(server)
  }

  private constructor(server: Server) {
    this.#server = server
    server.on('request', async (request, response) => {
      const body = await text(request)
      const target = String(request.headers['x-amz-target'] ?? '')
      if (request.url?.includes('/functions/')) return void response.end(JSON.stringify(FUNCTION))
      if (target.endsWith('.PutItem')) this.written.push(JSON.parse(body) as { readonly Item?: unknown })
      if (target !== '') return void response.end(JSON.stringify(EMPTY_STACK[target] ?? {}))
      const { status, xml } = this.#answer(Object.fromEntries(new URLSearchParams(body)))
      response.writeHead(status, { 'content-type': 'text/xml' }).end(xml)
    })
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** What a process must be started with to find this and nothing else of AWS. */
  get environment(): Readonly<Record<string, string>> {
    return emulatorEnvironment(this.endpoint)
  }

  /** The calls of one operation. */
  callsOf(operation: string): readonly Readonly<Record<string, string>>[] {
    return this.calls.filter(({ Action }) => Action === operation)
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #answer(parameters: Readonly<Record<string, string>>): { status: number; xml: string } {
    this.calls.push(parameters)
    const { Action = '' } = parameters
    const refusal = this.refused.get(Action)
    if (refusal) return failure(refusal)
    if (Action === 'ListSubscriptionsByTopic') return success(Action, this.#page(parameters['NextToken']))
    if (Action === 'GetSubscriptionAttributes') return this.#attributes(parameters['SubscriptionArn'])
    if (Action === 'ConfirmSubscription') return this.#confirm(parameters)
    return success(Action, '<MessageId>message-0001</MessageId>')
  }

  #page(token = '0'): string {
    const from = Number(token)
    const members = this.subscriptions.slice(from, from + this.pageSize).map((one, index) => {
      const { protocol, endpoint, owner = AWS_ACCOUNT, state } = one
      const placeholder = { pending: 'PendingConfirmation', removed: 'Deleted' }[state as 'pending']
      const arn = placeholder ?? arnOf(from + index)
      return `<member><Protocol>${protocol}</Protocol><Endpoint>${endpoint}</Endpoint><Owner>${owner}</Owner><SubscriptionArn>${arn}</SubscriptionArn></member>`
    })
    const next = from + this.pageSize
    const more = next < this.subscriptions.length ? `<NextToken>${next}</NextToken>` : ''
    return `<Subscriptions>${members.join('')}</Subscriptions>${more}`
  }

  #attributes(arn: string | undefined): { status: number; xml: string } {
    const one = this.subscriptions.find((_, index) => arnOf(index) === arn)
    if (!one) return failure({ code: 'NotFound', status: 404 })
    if (one.owner !== undefined && one.owner !== AWS_ACCOUNT) {
      return failure({ code: 'AuthorizationError', status: 403 })
    }
    const values = {
      PendingConfirmation: String(one.state === 'pending'),
      ConfirmationWasAuthenticated: String(one.state === 'confirmed by a signed call'),
    }
    const entries = Object.entries(values).map(
      ([key, value]) => `<entry><key>${key}</key><value>${value}</value></entry>`,
    )
    return success('GetSubscriptionAttributes', `<Attributes>${entries.join('')}</Attributes>`)
  }

  #confirm({ Token, AuthenticateOnUnsubscribe }: Readonly<Record<string, string>>): {
    status: number
    xml: string
  } {
    const index = this.subscriptions.findIndex(({ token }) => token === Token)
    const one = this.subscriptions[index]
    if (!one) return failure({ code: 'InvalidParameter', status: 400 })
    if (one.state === 'pending') {
      const signed = AuthenticateOnUnsubscribe === 'true'
      this.subscriptions[index] = {
        ...one,
        state: signed ? 'confirmed by a signed call' : 'confirmed by link',
      }
    }
    return success('ConfirmSubscription', `<SubscriptionArn>${arnOf(index)}</SubscriptionArn>`)
  }
}

const FUNCTION = {
  FunctionArn: `arn:aws:lambda:us-east-1:${AWS_ACCOUNT}:function:Tokenkeeper-fyers`,
  State: 'Active',
  Environment: { Variables: { TOKENKEEPER_TOPIC_ARN: TOPIC } },
}
const EMPTY_STACK: Readonly<Record<string, object>> = {
  'DynamoDB_20120810.DescribeTable': { Table: { TableStatus: 'ACTIVE' } },
  'DynamoDB_20120810.Query': { Items: [], Count: 0 },
}

function arnOf(index: number): string {
  return `${TOPIC}:00000000-0000-4000-8000-${String(index).padStart(12, '0')}`
}

function success(operation: string, result: string): { status: number; xml: string } {
  const xml = `<${operation}Response><${operation}Result>${result}</${operation}Result></${operation}Response>`
  return { status: 200, xml }
}

function failure({ code, status }: Refusal): { status: number; xml: string } {
  const error = `<Type>Sender</Type><Code>${code}</Code><Message>said by SNS</Message>`
  return { status, xml: `<ErrorResponse><Error>${error}</Error></ErrorResponse>` }
}
