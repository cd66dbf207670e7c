import type { Http2Bindings, HttpBindings } from '@hono/node-server'
import type { Hono } from 'hono'

/** Bindings of the Node server, which faults need to cut a connection. */
export interface SimulatorEnv {
  Bindings: HttpBindings | Http2Bindings
}

/**
 * A broker as lib/brokers/<id>/README.md says, over real HTTP. The simulator is the authority on its own state (users,
 * live tokens, counters): tests arrange it through methods of each simulator and read it back.
 */
export interface Simulator {
  readonly id: string
  /** The broker host names this server stands in for; empty where the address is a stored base_url. */
  readonly hosts: readonly string[]
  readonly app: Hono<SimulatorEnv>
}

/** Something that goes wrong once, for the next request whose path matches. */
export type SimulatedFault =
  /** The connection is cut before the broker looks at the request. */
  | { readonly kind: 'reset' }
  /** The broker does its work and the reply never arrives. */
  | { readonly kind: 'lost_reply' }
  /** Nothing is answered until the client gives up. */
  | { readonly kind: 'hang' }
  | {
      readonly kind: 'reply'
      readonly status: number
      readonly body: string
      readonly headers?: Record<string, string>
    }
  /** The broker does its work and half of the reply's body arrives, as if complete. */
  | { readonly kind: 'truncated' }
  /** The broker takes its time: it looks at the request, and answers, when what `until` gives has come. */
  | { readonly kind: 'held'; readonly until: () => Promise<unknown> }

/** Replies brokers' edges give instead of JSON. */
export const HTML_502: SimulatedFault = {
  kind: 'reply',
  status: 502,
  body: '<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>',
  headers: { 'content-type': 'text/html' },
}

export const HTML_200: SimulatedFault = {
  kind: 'reply',
  status: 200,
  body: '<!doctype html><html><body>Please enable JavaScript</body></html>',
  headers: { 'content-type': 'text/html' },
}
