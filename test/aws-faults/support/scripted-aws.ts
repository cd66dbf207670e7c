import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { useEnvironment } from '../../aws/support/emulator.ts'

/** One answer of AWS, in its JSON protocols. */
export type Answer =
  | {
      readonly status?: number
      readonly body?: object
      readonly headers?: Readonly<Record<string, string>>
    }
  /** AWS does the work, but its answer never arrives. */
  | 'connection lost'
  | 'no answer'

export interface SeenRequest {
  readonly path: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

/** An error as SSM and DynamoDB send it. */
export function refusal(name: string, message = 'said by AWS', status = 400, more: object = {}): Answer {
  return { status, body: { __type: `com.amazonaws.service#${name}`, message, ...more } }
}

/**
 * AWS on a bad day, for what no emulator does on demand: a server that gives the answers it was told, in their
 * order and the last one for ever. The real SDK talks to it.
 */
export class ScriptedAws {
  readonly seen: SeenRequest[] = []
  answers: Answer[] = []
  readonly #server: Server
  readonly #restore: () => void

  static async start(): Promise<ScriptedAws> {
    const server = createServer()
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
    return new ScriptedAws(server)
  }

  private constructor(server: Server) {
    this.#server = server
    this.#restore = useEnvironment(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    server.on('request', async (request, response) => {
      this.seen.push({ path: request.url ?? '', headers: request.headers, body: await text(request) })
      const answer = (this.answers.length > 1 ? this.answers.shift() : this.answers[0]) ?? {}
      if (answer === 'no answer') return
      if (answer === 'connection lost') {
        response.destroy()
        return
      }
      const headers = {
        'content-type': 'application/x-amz-json-1.1',
        'x-amzn-requestid': 'request-0001',
        // By the tests' clock, not by Node's own: the SDK holds the two against each other.
        date: new Date().toUTCString(),
        ...answer.headers,
      }
      response.writeHead(answer.status ?? 200, headers).end(JSON.stringify(answer.body ?? {}))
    })
  }

  async close(): Promise<void> {
    this.#restore()
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
