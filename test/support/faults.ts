import { NotificationError, StateStoreError, TokenVaultError } from '../../lib/model/errors.ts'
import { HttpError } from '../../lib/ports/http.ts'
import type { Ports } from '../../lib/ports/ports.ts'

type FaultyPorts = Pick<Ports, 'vault' | 'states' | 'notifier' | 'http'>

/** A call at a port, such as `vault.write`. */
export type PortCall = {
  [Port in keyof FaultyPorts]: `${Port}.${keyof FaultyPorts[Port] & string}`
}[keyof FaultyPorts]

/** What a call is given. */
type Asked<Call extends PortCall> = Call extends `${infer Port extends keyof FaultyPorts}.${infer Method}`
  ? FaultyPorts[Port][Method & keyof FaultyPorts[Port]] extends (...asked: infer Arguments) => unknown
    ? Arguments
    : never
  : never

/** Which calls fail, and how. Without anything: the next one is refused before anything happened. */
export interface CallFault<Call extends PortCall> {
  /** Only calls for which this holds count, such as those for one account or one secret. @default - every call */
  readonly only?: (...asked: Asked<Call>) => boolean
  /** How many calls pass first. @default 0 */
  readonly skip?: number
  /** How many calls fail; `all` until `stop`. @default 1 */
  readonly times?: number | 'all'
  /** The call has had its effect and only its reply is lost. @default - it is refused and nothing happened */
  readonly after?: 'landed'
  /** The call never ends, as for a process that dies in it. @default false */
  readonly hangs?: boolean
  /** @default - what the port throws when its service is away */
  readonly error?: Error
}

export interface FailingCall {
  /** How many calls have failed. */
  readonly count: number
  /** Resolves with the first failure; where the call lands, when it has. */
  readonly happened: Promise<void>
  /** From now on every call passes. */
  stop(): void
}

/** These ports, of which one call fails as told. `World.failNext` is the short way to it. */
export function withFault<Call extends PortCall>(
  ports: Ports,
  call: Call,
  fault: CallFault<Call>,
): { readonly ports: Ports; readonly failing: FailingCall } {
  const [port, method] = call.split('.') as [keyof FaultyPorts, string]
  let toPass = fault.skip ?? 0
  let toFail = fault.times === 'all' ? Number.POSITIVE_INFINITY : (fault.times ?? 1)
  let count = 0
  const { promise: happened, resolve: happens } = Promise.withResolvers<void>()

  const fails = (asked: unknown[]): boolean => {
    if (toFail === 0 || !(fault.only?.(...(asked as Asked<Call>)) ?? true)) return false
    if (toPass > 0) {
      toPass -= 1
      return false
    }
    toFail -= 1
    count += 1
    return true
  }
  const failure = async (made: () => unknown): Promise<never> => {
    if (fault.after === 'landed') await made()
    happens()
    if (fault.hangs) return new Promise<never>(() => undefined)
    throw fault.error ?? errorOf(call, fault.after === 'landed')
  }
  const called = (made: () => unknown, asked: unknown[]): unknown => {
    if (!fails(asked)) return made()
    return call === 'states.list' ? broken(() => failure(made)) : failure(made)
  }

  const faulty = new Proxy(ports[port], {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      if (name !== method) return member.bind(target)
      return (...asked: unknown[]) => called(() => member.apply(target, asked), asked)
    },
  })
  const stop = (): void => {
    toFail = 0
  }
  return {
    ports: { ...ports, [port]: faulty },
    failing: {
      happened,
      stop,
      get count() {
        return count
      },
    },
  }
}

/** A list that breaks off before its first record. */
async function* broken(fail: () => Promise<never>): AsyncGenerator<never> {
  yield await fail()
}

function errorOf(call: PortCall, isLanded: boolean): Error {
  if (call === 'vault.read') return new TokenVaultError('the vault is away', { during: 'read', fix: 'wait' })
  if (call.startsWith('vault.'))
    return new TokenVaultError('the vault is away', { during: 'write', fix: 'wait' })
  if (call.startsWith('states.')) return new StateStoreError('the state table is away', { fix: 'wait' })
  if (call.startsWith('notifier.')) return new NotificationError('the notifier is away')
  return isLanded ? new HttpError('TIMEOUT', { sent: true }) : new HttpError('ECONNREFUSED', { sent: false })
}
