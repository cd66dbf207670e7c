/** What an error about a call to AWS has to name. Names only, never values. */
export interface AwsCall {
  /** The service's name for people. */
  readonly service: string
  readonly operation: string
  /** The IAM action the call needs. */
  readonly action: string
  /** What the call is about: a parameter, a table, a topic. */
  readonly resource: string
  /** Fixes for errors that only this call has, by the error's name. */
  readonly fixes?: Readonly<Record<string, string>>
}

/** An error of the SDK in our own words. */
export interface AwsFault {
  readonly message: string
  readonly fix: string
  /** Whether the same call may succeed a little later, without anybody doing anything. */
  readonly passing: boolean
  /**
   * The names and codes of the error. AWS's own text is left out, since a validation message repeats the
   * refused value.
   */
  readonly cause: Error
}

/** The fields that errors of the SDK, and of the network under it, may have. */
interface SdkError {
  readonly name?: string
  readonly message?: string
  readonly code?: string
  readonly $fault?: 'client' | 'server'
  readonly $retryable?: object
  readonly $metadata?: {
    readonly httpStatusCode?: number
    readonly requestId?: string
    readonly attempts?: number
  }
}

const DENIED = /^(KMS)?(AccessDenied|Authorization|NotAuthorized)/
const SIGN_IN =
  /^(ExpiredToken|UnrecognizedClient|InvalidClientToken|InvalidSignature|SignatureDoesNotMatch|IncompleteSignature|MissingAuthentication|CredentialsProvider|TokenProvider)/
const KEY = /^(KMS|InvalidKeyId)/
const THROTTLED = /Throttl|TooManyUpdates|TooManyRequests|RequestLimitExceeded|ThroughputExceeded/
const UNREACHABLE = /^(E[A-Z_]{4,}|TimeoutError|AbortError)$/
/**
 * IAM names the missing action only in this sentence; it may be one of KMS instead of the one that was
 * called.
 */
const DENIED_ACTION = /not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)/
/** The SDK gives this error no name of its own. */
const NO_REGION = /^Region is missing/

/**
 * Translates an error of the SDK: what happened and what helps. Takes only names, a status and a request id
 * from AWS.
 */
export function awsFault(error: unknown, call: AwsCall): AwsFault {
  const known = (typeof error === 'object' && error !== null ? error : {}) as SdkError
  const name = nameOfError(known)
  const { httpStatusCode: status, requestId } = known.$metadata ?? {}
  const what = UNREACHABLE.test(name) ? 'did not answer' : 'refused'
  return {
    message: `${call.service} ${what} ${call.operation} for ${call.resource} (${name})`,
    fix: call.fixes?.[name] ?? fixOf(name, known, call),
    passing: isPassing(name, known),
    cause: new Error(
      [name, status && `HTTP ${status}`, requestId && `request id ${requestId}`].filter(Boolean).join(', '),
    ),
  }
}

/**
 * How often the SDK sent the call. Above 1, an earlier attempt may have succeeded although its answer was
 * lost.
 */
export function attemptsOf(error: unknown): number {
  return (error as SdkError).$metadata?.attempts ?? 1
}

/** The name of an error; for network errors, which are all called Error, their code. */
function nameOfError({ name = 'Error', code, message = '' }: SdkError): string {
  if (NO_REGION.test(message)) return 'RegionMissing'
  return /^(Aggregate)?Error$/.test(name) ? (code ?? name) : name
}

function isPassing(name: string, { $fault, $retryable, $metadata }: SdkError): boolean {
  const status = $metadata?.httpStatusCode ?? 0
  return (
    $fault === 'server' ||
    $retryable !== undefined ||
    status === 429 ||
    status >= 500 ||
    THROTTLED.test(name) ||
    UNREACHABLE.test(name)
  )
}

function fixOf(name: string, { message = '' }: SdkError, call: AwsCall): string {
  if (DENIED.test(name)) {
    const action = DENIED_ACTION.exec(message)?.[1] ?? call.action
    return action.startsWith('kms:')
      ? `allow ${action} on the KMS key of ${call.resource}, in the role's policy and in the key's own`
      : `allow ${action} on ${call.resource} for the role or user that runs this`
  }
  if (SIGN_IN.test(name)) {
    return 'sign in to AWS again (aws sso login, or new access keys), and check the clock of this machine'
  }
  if (name === 'RegionMissing') return 'set AWS_REGION to the region the stack is deployed in'
  if (KEY.test(name)) {
    return `check the KMS key of ${call.resource}: it must exist in this region, be enabled, and let this role use it`
  }
  if (THROTTLED.test(name)) {
    return 'nothing to do: the next run repeats; if it goes on, spread the schedules or raise the quota'
  }
  if (UNREACHABLE.test(name)) {
    return `check the network and AWS_REGION; inside a VPC ${call.service} needs a NAT gateway or a VPC endpoint`
  }
  return 'nothing to do if it happens once, the next run repeats; else check the deployment: tokenkeeper doctor'
}
