import type { HttpRequest } from '../../lib/ports/http.ts'
import type { World } from './world.ts'

/** Every request that leaves from now on, as it is sent to the simulators over real HTTP. */
export function recorded(world: World): readonly HttpRequest[] {
  const sent: HttpRequest[] = []
  const { http } = world.ports
  world.ports = {
    ...world.ports,
    http: {
      ...http,
      send: (request) => {
        sent.push(request)
        return http.send(request)
      },
    },
  }
  return sent
}
