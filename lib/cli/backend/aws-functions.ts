import {
  GetFunctionConfigurationCommand,
  InvokeCommand,
  LambdaClient,
  ResourceNotFoundException,
} from '@aws-sdk/client-lambda'
import * as z from 'zod'
import { awsFault } from '../../aws/aws-fault.ts'
import { ConfigurationError } from '../../model/errors.ts'
import type { RunReport } from '../../model/outcome.ts'
import { maskSecrets } from '../../model/secret.ts'
import { resourceNames } from '../../resource-names.ts'

/** Longer than Lambda's own limit of 15 minutes: the function is the one to give up. */
const INVOCATION_TIMEOUT_MS = 16 * 60_000
const CONNECT_TIMEOUT_MS = 5_000

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

interface DescribedFunction {
  readonly name: string
  readonly state: string
  readonly topicArn: string
  /** The topic of the events; empty where the stack has none. */
  readonly eventsTopicArn: string
  /** The AWS account it lives in. */
  readonly accountNumber: string
  readonly region: string
}

/** The stack's Lambda functions, one for each broker. */
export interface AwsFunctions {
  /** Throws ConfigurationError when it does not exist or may not be read. */
  describe(brokerId: string): Promise<DescribedFunction>
  /** The address of the stack's login page; `undefined` where it has none. Throws ConfigurationError. */
  siteUrl(): Promise<string | undefined>
  /** Invokes it and waits for its report. Throws ConfigurationError when it cannot, or when the function threw. */
  invoke(brokerId: string, event: unknown): Promise<RunReport>
  close(): void
}

export function awsFunctions(stackName: string): AwsFunctions {
  const names = resourceNames(stackName)
  // One attempt: a repeat of a synchronous invocation would be a second run.
  const client = new LambdaClient({
    maxAttempts: 1,
    requestHandler: { connectionTimeout: CONNECT_TIMEOUT_MS, requestTimeout: INVOCATION_TIMEOUT_MS },
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
  return {
    async describe(brokerId) {
      const FunctionName = names.function(brokerId)
      const reply = await called(
        'GetFunctionConfiguration',
        FunctionName,
        client.send(new GetFunctionConfigurationCommand({ FunctionName })),
      )
      const [, , , region = '', accountNumber = ''] = (reply.FunctionArn ?? '').split(':')
      return {
        name: FunctionName,
        state: reply.State ?? 'unknown',
        topicArn: reply.Environment?.Variables?.['TOKENKEEPER_TOPIC_ARN'] ?? '',
        eventsTopicArn: reply.Environment?.Variables?.['TOKENKEEPER_EVENTS_TOPIC_ARN'] ?? '',
        accountNumber,
        region,
      }
    },
    async siteUrl() {
      const FunctionName = names.site
      try {
        const reply = await client.send(new GetFunctionConfigurationCommand({ FunctionName }))
        return reply.Environment?.Variables?.['TOKENKEEPER_SITE_URL']
      } catch (error) {
        if (error instanceof ResourceNotFoundException) return undefined
        return called('GetFunctionConfiguration', FunctionName, Promise.reject(error))
      }
    },
    async invoke(brokerId, event) {
      const FunctionName = names.function(brokerId)
      const command = new InvokeCommand({
        FunctionName,
        InvocationType: 'RequestResponse',
        Payload: Buffer.from(JSON.stringify(event)),
      })
      const { FunctionError, Payload } = await called('Invoke', FunctionName, client.send(command))
      return reportIn(FunctionName, FunctionError, Buffer.from(Payload ?? []).toString('utf8'))
    },
    close: () => client.destroy(),
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
    fix: 'deploy this version of the stack: npm run deploy',
  })
}
