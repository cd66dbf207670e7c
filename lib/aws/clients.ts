import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { LambdaClient } from '@aws-sdk/client-lambda'
import type { SNSClient } from '@aws-sdk/client-sns'
import { SSMClient } from '@aws-sdk/client-ssm'

/**
 * The options of every client. Region, credentials and endpoint come from the SDK's own sources (AWS_REGION,
 * AWS_PROFILE, AWS_ENDPOINT_URL and so on). With these bounds an unreachable service fails in seconds: there
 * are at most three attempts, with two seconds to connect and five for an answer.
 */
const OPTIONS = {
  userAgentAppId: 'tokenkeeper',
  maxAttempts: 3,
  requestHandler: {
    connectionTimeout: 2_000,
    requestTimeout: 5_000,
    // Without this the SDK only warns of a slow answer and goes on waiting.
    throwOnRequestTimeout: true,
  },
}

/**
 * SSM's error while another write to the same parameter is under way; the SDK does not know that it passes.
 */
const CONCURRENT_WRITE = 'TooManyUpdates'

/** A client for SSM, which also repeats a write that met another one to the same parameter. */
export function ssmClient(): SSMClient {
  const client = new SSMClient(OPTIONS)
  client.middlewareStack.add(
    (next) => async (args) => {
      try {
        return await next(args)
      } catch (error) {
        // By this mark the SDK's retry strategy knows that an error it does not list passes.
        if (error instanceof Error && error.name === CONCURRENT_WRITE) {
          Object.assign(error, { $retryable: { throttling: true } })
        }
        throw error
      }
    },
    // Placed outside the deserializer, which makes the error, and inside the retries, which read the mark.
    { step: 'deserialize', priority: 'high', name: 'markConcurrentWrite' },
  )
  return client
}

/** A client for DynamoDB. */
export function dynamoDbClient(): DynamoDBClient {
  return new DynamoDBClient(OPTIONS)
}

/**
 * A client for SNS. Loaded only for the first message, since most runs send none and each module slows a cold
 * start.
 */
export async function snsClient(): Promise<SNSClient> {
  const { SNSClient } = await import('@aws-sdk/client-sns')
  return new SNSClient(OPTIONS)
}

/**
 * A client for Lambda. Loaded only when a run has to be continued or a person logs in. A function that is
 * waited for needs a longer `requestTimeoutMs`.
 */
export async function lambdaClient({
  requestTimeoutMs = OPTIONS.requestHandler.requestTimeout,
} = {}): Promise<LambdaClient> {
  const { LambdaClient } = await import('@aws-sdk/client-lambda')
  const requestHandler = { ...OPTIONS.requestHandler, requestTimeout: requestTimeoutMs }
  return new LambdaClient({ ...OPTIONS, requestHandler })
}
