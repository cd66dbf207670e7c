/** A call to AWS, as far as an error about it has to name it. Names only, never values. */
export interface AwsCall {
  /** How people call the service. */
  readonly service: string
  readonly operation: string
  /** The IAM action the call needs. */
  readonly action: string
  /** What the call is about: a parameter, a table, a topic. */
  readonly resource: string
  /** What to do about errors only this call has, by their names. */
  readonly fixes?: Readonly<Record<string, string>>
}

/** An SDK error in our words. */
export interface AwsFault {
  readonly message: string
  readonly fix: string
  /** Whether the same call may succeed a little later without anybody doing anything. */
  readonly passing: boolean
  /** AWS's own text is left out: a validation message repeats the value that it refuses. */
  readonly cause: Error
}

/** What the SDK's errors, and those of the network under it, may carry. */
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
/** IAM names the missing action only in this sentence; it may be KMS's rather than the one that was called. */
const DENIED_ACTION = /not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)/
/** The SDK gives this error no name of its own. */
const NO_REGION = /^Region is missing/

/** Reads an SDK error. Says what happened and what helps; a name or a status is all it takes from AWS. */
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

/** How often the SDK sent the call; above 1 an earlier attempt may have done its work and lost its answer. */
export function attemptsOf(error: unknown): number {
  return (error as SdkError).$metadata?.attempts ?? 1
}

/** Network errors have a name that says nothing and are told apart by their codes. */
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
