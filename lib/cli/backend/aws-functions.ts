import {
  GetFunctionConfigurationCommand,
  type GetFunctionConfigurationCommandOutput,
  InvokeCommand,
  LambdaClient,
  ResourceNotFoundException,
} from '@aws-sdk/client-lambda'
import * as z from 'zod'
import { awsFault } from '../../aws/aws-fault.ts'
import { ConfigurationError } from '../../model/errors.ts'
import type { RunReport } from '../../model/outcome.ts'
import { maskSecrets } from '../../model/secrets/secret.ts'
import { resourceNames } from '../../resource-names.ts'
import { deployCommand } from './installation.ts'

/** A run that is waited for ends in 75 s (functions/runtime/refresh/refresh-handler.ts), a cold start and the way apart. */
const INVOCATION_TIMEOUT_MS = 110_000
const CONNECT_TIMEOUT_MS = 5_000
const READ_TIMEOUT_MS = 10_000

/** As far as it matters here; the rest of a report is shown as it came. */
const Report = z.looseObject({
  success: z.boolean(),
  message: z.string(),
  refreshed: z.number(),
  failed: z.number(),
  skipped: z.number(),
  total: z.number(),
  handedOver: z.number(),
  results: z.array(z.looseObject({ success: z.boolean(), account: z.string(), outcome: z.string() })),
})
const Failure = z.looseObject({ errorMessage: z.string() })

export interface DescribedFunction {
  readonly name: string
  readonly state: string
  readonly topicArn: string
  /** The topic of the events; empty where the stack has none. */
  readonly eventsTopicArn: string
  /** The key it encrypts under, as it names it to SSM; empty for the account's aws/ssm key. */
  readonly keyId: string
  /** First part of every parameter name it knows. */
  readonly prefix: string
  readonly partition: string
  /** The AWS account it lives in. */
  readonly accountNumber: string
  readonly region: string
}

/** The stack's Lambda functions, one for each broker. */
export interface AwsFunctions {
  /** Throws ConfigurationError when it does not exist or may not be read. */
  describe(brokerId: string): Promise<DescribedFunction>
  /** The same; `undefined` where it does not exist. */
  describeIfThere(brokerId: string): Promise<DescribedFunction | undefined>
  /** The address of the stack's login page; `undefined` where it has none. Throws ConfigurationError. */
  siteUrl(): Promise<string | undefined>
  /**
   * Invokes it and waits for its report; `undefined` where none came in time, or the connection broke: the function may
   * be at work all the same. Throws ConfigurationError when it cannot be invoked, or when the function threw.
   */
  invoke(brokerId: string, event: unknown): Promise<RunReport | undefined>
  close(): void
}

/** How long its calls may take, in milliseconds. @default - what a report, and a description, need */
export interface CallTimes {
  readonly invocationMs?: number
  readonly readMs?: number
}

export function awsFunctions(stackName: string, times: CallTimes = {}): AwsFunctions {
  const names = resourceNames(stackName)
  const within = (requestTimeout: number) => ({
    connectionTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout,
    // Without this the SDK only warns of a slow answer and goes on waiting, for ever on a dropped connection.
    throwOnRequestTimeout: true,
  })
  const client = new LambdaClient({ requestHandler: within(times.readMs ?? READ_TIMEOUT_MS) })
  // One attempt: a repeat of a synchronous invocation would be a second run.
  const invoker = new LambdaClient({
    maxAttempts: 1,
    requestHandler: within(times.invocationMs ?? INVOCATION_TIMEOUT_MS),
  })
  const called = async <T>(operation: string, name: string, call: Promise<T>): Promise<T> => {
    try {
      return await call
    } catch (error) {
      const { message, fix, cause } = awsFault(error, {
        service: 'Lambda',
        operation,
        action: operation === 'Invoke' ? 'lambda:InvokeFunction' : `lambda:${operation}`,
        resource: `function ${name}`,
        fixes: {
          ResourceNotFoundException: `deploy the stack, or set AWS_REGION: there is no function ${name}`,
        },
      })
      throw new ConfigurationError(message, { fix, cause })
    }
  }
  const configurationOf = (FunctionName: string) =>
    client.send(new GetFunctionConfigurationCommand({ FunctionName }))
  const ifThere = async (FunctionName: string) => {
    try {
      return await configurationOf(FunctionName)
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return undefined
      return called('GetFunctionConfiguration', FunctionName, Promise.reject(error))
    }
  }
  return {
    async describe(brokerId) {
      const FunctionName = names.function(brokerId)
      return describedBy(
        FunctionName,
        await called('GetFunctionConfiguration', FunctionName, configurationOf(FunctionName)),
      )
    },
    async describeIfThere(brokerId) {
      const FunctionName = names.function(brokerId)
      const reply = await ifThere(FunctionName)
      return reply && describedBy(FunctionName, reply)
    },
    async siteUrl() {
      return (await ifThere(names.site))?.Environment?.Variables?.['TOKENKEEPER_SITE_URL']
    },
    async invoke(brokerId, event) {
      const FunctionName = names.function(brokerId)
      const command = new InvokeCommand({
        FunctionName,
        InvocationType: 'RequestResponse',
        Payload: Buffer.from(JSON.stringify(event)),
      })
      try {
        const { FunctionError, Payload } = await invoker.send(command)
        return reportIn(FunctionName, FunctionError, Buffer.from(Payload ?? []).toString('utf8'))
      } catch (error) {
        if (isReplyLost(error)) return undefined
        if (error instanceof ConfigurationError) throw error
        return called('Invoke', FunctionName, Promise.reject(error))
      }
    },
    close() {
      client.destroy()
      invoker.destroy()
    },
  }
}

/** Whether the request may have arrived and only its reply did not. */
function isReplyLost(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { code = '' } = error as NodeJS.ErrnoException
  return error.name === 'TimeoutError' || code === 'ECONNRESET' || code === 'EPIPE'
}

function describedBy(
  name: string,
  { FunctionArn = '', State, Environment }: GetFunctionConfigurationCommandOutput,
): DescribedFunction {
  const [, partition = 'aws', , region = '', accountNumber = ''] = FunctionArn.split(':')
  const variable = (of: string): string => Environment?.Variables?.[of] ?? ''
  return {
    name,
    state: State ?? 'unknown',
    topicArn: variable('TOKENKEEPER_TOPIC_ARN'),
    eventsTopicArn: variable('TOKENKEEPER_EVENTS_TOPIC_ARN'),
    keyId: variable('TOKENKEEPER_KEY_ID'),
    prefix: variable('TOKENKEEPER_PREFIX'),
    partition,
    accountNumber,
    region,
  }
}

function reportIn(name: string, functionError: string | undefined, text: string): RunReport {
  let payload: unknown
  try {
    payload = JSON.parse(text)
  } catch {
    payload = undefined
  }
  if (functionError !== undefined) {
    const { data } = Failure.safeParse(payload)
    const why = data ? `: ${maskSecrets(data.errorMessage)}` : ''
    throw new ConfigurationError(`the function ${name} failed${why}`, {
      fix: `read its log (aws logs tail /aws/lambda/${name}) and run tokenkeeper doctor`,
    })
  }
  const report = Report.safeParse(payload)
  if (report.success) return report.data as unknown as RunReport
  throw new ConfigurationError(`the function ${name} answered with something that is no report`, {
    fix: `deploy this version of the stack: ${deployCommand()}`,
  })
}
