import * as z from 'zod/mini'
import { Secret } from '../../model/secrets/secret.ts'
import { type EnvelopeKeys, openEnvelope } from './envelope.ts'

/** This code is the result of a check and no error (README, Errors). */
const TOKEN_IS_VALID = 'EC045'
const EC_CODE = /\bEC\d{3}\b/

const StatusReply = z.object({ status: z.string(), message: z.optional(z.string()) })
const EncryptedReply = z.looseObject({ cRespEncData: z.string() })

/** A reply that says it failed. Without a code it is a plain `Not_Ok`. */
export interface Failure {
  readonly code?: string
}

/** The failure that a body names, under any HTTP status; `undefined` where it names none. */
export function failureIn(json: unknown): Failure | undefined {
  const parsed = StatusReply.safeParse(json)
  if (!parsed.success) return undefined
  const { status, message } = parsed.data
  // The status Not_Ok may have its code in the message (README, Errors).
  const code = EC_CODE.exec(status)?.[0] ?? (isNotOk(status) ? EC_CODE.exec(message ?? '')?.[0] : undefined)
  if (code === TOKEN_IS_VALID) return undefined
  if (code !== undefined) return { code }
  return isNotOk(status) ? {} : undefined
}

/** Whether a body says that the call succeeded. */
export function saysOk(json: unknown): boolean {
  return StatusReply.safeParse(json).data?.status.toLowerCase() === 'ok'
}

/**
 * The body, with the fields of its encrypted part added: IIFL sends errors in clear or encrypted. `undefined`
 * where the part cannot be opened and the rest names no failure.
 */
export function opened(json: unknown, keys: EnvelopeKeys | undefined): unknown {
  const parsed = EncryptedReply.safeParse(json)
  if (!parsed.success || !keys) return json
  const { cRespEncData, ...outer } = parsed.data
  const inner = jsonObjectIn(openEnvelope(cRespEncData, keys.own.privateKey)?.text)
  if (inner) return { ...outer, ...inner }
  return failureIn(outer) ? outer : undefined
}

/** The first non-empty text at one of the paths, such as `result.0.token`; `undefined` where none has one. */
export function textAt(json: unknown, paths: readonly string[]): Secret | undefined {
  for (const path of paths) {
    let node: unknown = json
    for (const key of path.split('.')) {
      node = typeof node === 'object' && node !== null ? (node as Record<string, unknown>)[key] : undefined
    }
    if (typeof node === 'string' && node !== '') return new Secret(node)
  }
  return undefined
}

function jsonObjectIn(text: string | undefined): Record<string, unknown> | undefined {
  try {
    return z.looseObject({}).safeParse(JSON.parse(text ?? '')).data
  } catch {
    return undefined
  }
}

function isNotOk(status: string): boolean {
  return status.toLowerCase() === 'not_ok'
}
