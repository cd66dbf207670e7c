import type { Secret } from '../../model/secrets/secret.ts'
import type { BrokerContext } from '../../ports/broker/broker-context.ts'
import { type BrokerReply, callBroker, noUsableReply } from '../shared/call.ts'
import type { EnvelopeKeys } from './envelope.ts'
import { IIFL, iiflError, missing, SPENDS, type Step } from './errors.ts'
import { failureIn, opened, saysOk, textAt } from './reply.ts'

/** The version of the API; the host itself, or its override, is an origin without it. */
const API_VERSION = '/v1'

/** One request to IIFL, and the step of the login it belongs to. */
export interface Question {
  readonly step: Step
  readonly method?: 'GET' | 'POST'
  readonly url: string
  readonly json?: unknown
  readonly bearer?: Secret
  /** The keys that open an encrypted reply or error. */
  readonly keys?: EnvelopeKeys
  readonly timeoutMs?: number
}

export interface IiflReply {
  readonly reply: BrokerReply
  /** The body, with its encrypted part opened. */
  readonly json: unknown
}

/** The address of a path of IIFL's API, with its version. */
export function apiUrl(context: BrokerContext, path: string): string {
  return context.host('IIFL_API') + API_VERSION + path
}

/**
 * Sends one request to IIFL. Throws the error that a failing reply stands for, and those of {@link
 * callBroker}.
 */
export async function askIifl(context: BrokerContext, question: Question): Promise<IiflReply> {
  const { step, method = 'POST', url, json, bearer, keys, timeoutMs } = question
  const reply = await callBroker(context, IIFL, {
    method,
    url,
    ...(json !== undefined && { json }),
    ...(bearer && { headers: { authorization: `Bearer ${bearer.reveal()}` } }),
    ...(timeoutMs !== undefined && { timeoutMs }),
    spends: SPENDS[step],
  })
  const body = opened(reply.json, keys)
  if (body === undefined && reply.json !== undefined)
    throw noUsableReply(IIFL, SPENDS[step], 'a broken envelope')
  const failure = failureIn(body)
  if (failure || reply.status >= 300 || body === undefined) throw iiflError(step, reply, failure)
  return { reply, json: body }
}

/**
 * Sends one request and takes one text from the reply, at the first of `paths` that has it. Throws as {@link
 * askIifl} does, and UnexpectedResponseError for a success without the text.
 */
export async function askFor(
  context: BrokerContext,
  question: Question,
  paths: readonly [string, ...string[]],
): Promise<IiflReply & { readonly text: Secret }> {
  const answer = await askIifl(context, question)
  const text = textAt(answer.json, paths)
  if (text) return { ...answer, text }
  // "Ok" without the text is no refusal; IIFL has changed its replies.
  throw saysOk(answer.json)
    ? missing(answer.reply, paths[0])
    : iiflError(question.step, answer.reply, undefined)
}
