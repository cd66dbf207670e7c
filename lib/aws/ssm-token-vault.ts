import {
  DeleteParameterCommand,
  GetParametersCommand,
  type Parameter,
  ParameterNotFound,
  PutParameterCommand,
  type SSMClient,
} from '@aws-sdk/client-ssm'
import { Temporal } from 'temporal-polyfill'
import { type AccountId, brokerOf, nameOf } from '../model/account-id.ts'
import { ConfigurationError, TokenVaultError } from '../model/errors.ts'
import type { SecretName } from '../model/secrets/secret-name.ts'
import { assertOneBatch, assertStorable, MOST_NAMES_PER_READ } from '../model/secrets/vault-limits.ts'
import { isBefore } from '../model/time/instants.ts'
import type { Clock } from '../ports/clock.ts'
import { type StoredSecret, storedValue, type TokenVault } from '../ports/token-vault.ts'
import { type AwsCall, awsFault } from './aws-fault.ts'
import { assertOwned, ownerIn, ownerParameter, readOwner } from './prefix-owner.ts'

/** Pauses between rounds of attempts; within a round the SDK makes its own. */
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 5_000
/**
 * Milliseconds that a write gets even past its deadline: an issued refresh token must be tried at least once.
 */
const LEAST_ATTEMPT_MS = 2_000

/** Fixes for errors that only writes have. */
const WRITE_FIXES: Readonly<Record<string, string>> = {
  HierarchyTypeMismatchException:
    'this parameter exists as plain text and SSM cannot change that: delete it, then store the value again',
  ParameterMaxVersionLimitExceeded:
    'a label on the oldest of its 100 versions blocks it: aws ssm unlabel-parameter-version',
  ParameterLimitExceeded: 'this AWS account has no room for parameters: delete some or raise the quota',
}

export interface SsmTokenVaultOptions {
  readonly client: SSMClient
  /** The first part of every parameter's name, such as /stock-pipeline. */
  readonly prefix: string
  readonly clock: Clock
  /** The KMS key new values are encrypted under; asked for at the first write. @default - the account's aws/ssm key */
  readonly keyId?: string | (() => Promise<string>) | undefined
  /**
   * The stack on whose behalf it works: what belongs to another one is refused with ConfigurationError. Its owner is one more
   * name of a read that there is anyway.
   *
   * @default - nobody asks whose the parameters are
   */
  readonly stackName?: string | undefined
}

/**
 * The token vault on SSM: one SecureString per secret. A read is one GetParameters and a write one
 * PutParameter, since SSM's quotas (about 3 writes per second) limit large installations.
 */
export function ssmTokenVault(options: SsmTokenVaultOptions): TokenVault {
  const { client, prefix, clock, stackName } = options
  let isOwned = stackName === undefined

  const assertOurs = (owner: string | undefined): void => {
    if (stackName === undefined) return
    assertOwned(prefix, stackName, owner)
    isOwned = true
  }

  const write: TokenVault['write'] = async (account, name, value, { deadline } = {}) => {
    assertStorable(name, value)
    // A run has read before it writes; this is for whoever stores a value without having looked.
    if (!isOwned) assertOurs(await readOwner(client, prefix))
    const path = parameterPath(prefix, account, name)
    const keyId = typeof options.keyId === 'function' ? await options.keyId() : options.keyId
    const input = {
      Name: path,
      Value: value.reveal(),
      Type: 'SecureString',
      Overwrite: true,
      // A token over 4096 bytes moves the parameter to the Advanced tier; all others stay in the free one.
      Tier: 'Intelligent-Tiering',
      ...(keyId !== undefined && { KeyId: keyId }),
    } as const
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      try {
        const { Version } = await client.send(new PutParameterCommand(input), endingBy(deadline, clock))
        return { version: given(Version) }
      } catch (error) {
        const { passing, message, fix, cause } = awsFault(error, callOf('PutParameter', path, WRITE_FIXES))
        const resumesAt = clock.now().add({ milliseconds: pauseMs })
        if (!passing || deadline === undefined || !isBefore(resumesAt, deadline)) {
          throw new TokenVaultError(message, { during: 'write', fix, cause })
        }
        await clock.sleep(pauseMs)
      }
    }
  }

  return {
    async read(account, names) {
      assertOneBatch(names)
      const nameOfPath = new Map(names.map((name) => [parameterPath(prefix, account, name), name]))
      if (nameOfPath.size === 0) return new Map()
      const asksOwner = stackName !== undefined && nameOfPath.size < MOST_NAMES_PER_READ
      const paths = [...nameOfPath.keys(), ...(asksOwner ? [ownerParameter(prefix)] : [])]
      try {
        const { Parameters = [] } = await client.send(
          new GetParametersCommand({ Names: paths, WithDecryption: true }),
        )
        // SSM lists unknown names as InvalidParameters: they are absent, which is no error.
        if (asksOwner) assertOurs(ownerIn(prefix, Parameters))
        return new Map(
          Parameters.flatMap((parameter) => {
            const name = nameOfPath.get(given(parameter.Name))
            return name === undefined ? [] : [[name, stored(name, parameter)] as const]
          }),
        )
      } catch (error) {
        if (error instanceof ConfigurationError) throw error
        const { message, fix, cause } = awsFault(error, callOf('GetParameters', folderOf(prefix, account)))
        throw new TokenVaultError(message, { during: 'read', fix, cause })
      }
    },
    write,
    async remove(account, name) {
      const path = parameterPath(prefix, account, name)
      try {
        await client.send(new DeleteParameterCommand({ Name: path }))
      } catch (error) {
        if (error instanceof ParameterNotFound) return
        const { message, fix, cause } = awsFault(error, callOf('DeleteParameter', path))
        throw new TokenVaultError(message, { during: 'write', fix, cause })
      }
    },
  }
}

/**
 * The name under which consumers find a secret: {prefix}/{broker}/{name}, with the account's name in between
 * unless it is the default account.
 */
function parameterPath(prefix: string, account: AccountId, name: SecretName): string {
  return [prefix, brokerOf(account), nameOf(account), name].filter((part) => part !== undefined).join('/')
}

function folderOf(prefix: string, account: AccountId): string {
  return `${prefix}/${account}/*`
}

function stored(name: SecretName, { Value, Version, LastModifiedDate }: Parameter): StoredSecret {
  return {
    value: storedValue(name, given(Value)),
    version: given(Version),
    modifiedAt: Temporal.Instant.fromEpochMilliseconds(given(LastModifiedDate).getTime()),
  }
}

/** A field that SSM always gives, although the SDK's types make it optional. */
function given<T>(field: T | undefined): T {
  if (field === undefined) throw new TypeError('SSM left out a field that it always gives')
  return field
}

/** Ends the SDK's attempts at the deadline, since the invocation still has to record its outcome. */
function endingBy(
  deadline: Temporal.Instant | undefined,
  clock: Clock,
): { readonly abortSignal?: AbortSignal } {
  if (deadline === undefined) return {}
  const leftMs = Math.floor(clock.now().until(deadline).total('milliseconds'))
  return { abortSignal: AbortSignal.timeout(Math.max(leftMs, LEAST_ATTEMPT_MS)) }
}

function callOf(operation: string, path: string, fixes: AwsCall['fixes'] = {}): AwsCall {
  return { service: 'SSM', operation, action: `ssm:${operation}`, resource: `parameter${path}`, fixes }
}
