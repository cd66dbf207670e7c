import type { SimulatorServer } from '../../lib/simulators/kit/simulator-server.ts'

export interface HeldRequest {
  /** The request is at the broker, which has not looked at it yet. */
  readonly arrived: Promise<void>
  release(): void
}

/** Holds the next request whose path starts so at the broker, while the test does what must happen meanwhile. */
export function holdNext(server: SimulatorServer, path: string): HeldRequest {
  const arrival = Promise.withResolvers<void>()
  const leave = Promise.withResolvers<void>()
  const until = (): Promise<void> => {
    arrival.resolve()
    return leave.promise
  }
  server.failNext(path, { kind: 'held', until })
  return { arrived: arrival.promise, release: () => leave.resolve() }
}
