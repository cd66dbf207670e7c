import { Readable } from 'node:stream'
import { type Dispatcher, FormData as SendableForm } from 'undici'
import { CallError } from '../errors.ts'

/** A body in the types that undici takes. */
type SendableBody = Exclude<Dispatcher.RequestOptions['body'], undefined>

/** A body that can be sent only once. */
type OnceBody = Readable | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>
type WholeBody = string | ArrayBuffer | Uint8Array | URLSearchParams | FormData | Blob

export type CallBody = WholeBody | OnceBody | null
/** Makes the body each time it is sent. */
export type BodyFactory = () => CallBody | Promise<CallBody>

/** The body of a call. */
export interface Content {
  /** Whether the body can be sent again. */
  readonly replayable: boolean
  /** The content type where the caller gives none; absent for forms and blobs, where undici knows it. */
  readonly contentType?: string
  open(): SendableBody | Promise<SendableBody>
}

const NOTHING: Content = { replayable: true, open: () => null }

/** The body of a call; `json` is a value to be sent as JSON. Throws CallError. */
export function contentOf(body: CallBody | BodyFactory | undefined, json: unknown): Content {
  if (json !== undefined) {
    if (body !== undefined && body !== null)
      throw invalid('the call has both a body and json', 'give one of them')
    const text = JSON.stringify(json)
    return { replayable: true, contentType: 'application/json', open: () => text }
  }
  if (body === undefined || body === null) return NOTHING
  if (typeof body === 'function') {
    return { replayable: true, open: async () => sendable((await body()) ?? null) }
  }
  if (isOnce(body)) return { replayable: false, open: () => sendable(body) }
  const contentType = contentTypeOf(body)
  return { replayable: true, ...(contentType && { contentType }), open: () => sendable(body) }
}

function sendable(body: CallBody): SendableBody {
  if (body instanceof URLSearchParams) return body.toString()
  if (body instanceof ArrayBuffer) return Buffer.from(body)
  if (body instanceof FormData) return formOf(body)
  if (typeof body === 'object' || typeof body === 'string') return body as SendableBody
  throw invalid(
    'the body of this call is of a type that cannot be sent',
    'give text, bytes, a form or a stream',
  )
}

function isOnce(body: WholeBody | OnceBody): body is OnceBody {
  if (typeof body === 'string' || ArrayBuffer.isView(body)) return false
  // A form can be iterated too, but not as a stream.
  return body instanceof Readable || Symbol.asyncIterator in body
}

/** Copies a form: undici takes only its own class, and Node's global one is of another copy of undici. */
function formOf(form: FormData): SendableForm {
  const own = new SendableForm()
  for (const [name, value] of form) {
    if (typeof value === 'string') own.append(name, value)
    else own.append(name, value, value.name)
  }
  return own
}

/** The content type that fetch would send. */
function contentTypeOf(body: WholeBody): string | undefined {
  if (typeof body === 'string') return 'text/plain;charset=UTF-8'
  if (body instanceof URLSearchParams) return 'application/x-www-form-urlencoded;charset=UTF-8'
  return undefined
}

function invalid(message: string, fix: string): CallError {
  return new CallError(message, { code: 'invalid_call', actor: 'developer', sent: false, fix })
}
