import { randomUUID } from 'node:crypto'
import type { Writable } from 'node:stream'
import * as z from 'zod/mini'
import { ConfigurationError } from '../../model/errors.ts'
import type { CallInit } from '../calls/call.ts'
import type { Reply } from '../calls/reply.ts'
import type { TokenkeeperClient } from '../client.ts'
import { CallError } from '../errors.ts'
import { type DownloadedPdf, downloadPdf } from './pdf-download.ts'
import { ambiguous, PosConnectorError, posConnectorError } from './pos-connector-error.ts'

/** Usual paths (lib/brokers/pos-connector/README.md, Invoices); `paths` replaces each. */
const POS_DEFAULT_PATHS = {
  invoiceCreate: '/api/invoices',
  invoiceSubmit: '/api/invoices/{id}/submit',
  invoiceStatus: '/api/invoices/{id}/status',
  invoicePdf: '/api/invoices/{id}/pdf',
} as const
const POS_IDEMPOTENCY_HEADER = 'idempotency-key'
const POS_VENDOR_ID_PLACEMENT = 'body:vendor_id'
const LARGEST_PDF_BYTES = 50 * 2 ** 20

export type PosConnectorPaths = Readonly<Record<keyof typeof POS_DEFAULT_PATHS, string>>

export interface PosConnectorOptions {
  /** A client of a pos-connector account, with the backend's address as its baseUrl. */
  readonly client: Pick<TokenkeeperClient, 'fetch' | 'ensureValidToken'>
  /** Added to new invoices as `vendorIdPlacement` says. @default - none */
  readonly vendorId?: string
  /** `body:<field>`, `header:<name>` or `none`. @default body:vendor_id */
  readonly vendorIdPlacement?: `body:${string}` | `header:${string}` | 'none'
  /** Routes that differ from the usual ones; `{id}` stands for the invoice. */
  readonly paths?: Partial<PosConnectorPaths>
}

export interface WriteOptions {
  /**
   * With the same key a repeat makes no second invoice, where the backend supports that. @default - a new key
   */
  readonly idempotencyKey?: string
  readonly signal?: AbortSignal
}

/** An invoice as the backend returns it. */
export interface Invoice {
  readonly id: string
  /** The backend's own word; `undefined` where it gives none. */
  readonly status: string | undefined
  /** All fields that the backend gives. */
  readonly data: Readonly<Record<string, unknown>>
}

export interface SubmittedInvoice extends Invoice {
  /** Whether the invoice had been submitted before; `status` is the present one. */
  readonly alreadySubmitted: boolean
}

const InvoiceData = z.looseObject({
  id: z.union([z.string(), z.number()]),
  status: z.nullish(z.string()),
})
/** Laravel's resources have the invoice under `data`; a flat reply is accepted too. */
const InvoiceReply = z.union([z.object({ data: InvoiceData }), InvoiceData])

/**
 * Invoices at a POS connector (requirement R4.4). Before each call the token is renewed where half an hour or
 * less is left (R4.1). After a refusal the token is renewed and the call repeated once, with the same
 * idempotency key (R4.3). Methods throw PosConnectorError, CallError, TokenUnavailableError and the signal's
 * reason.
 */
export class PosConnectorClient {
  readonly #options: PosConnectorOptions
  readonly #paths: PosConnectorPaths

  /** Throws ConfigurationError for a path that does not begin with a slash. */
  constructor(options: PosConnectorOptions) {
    this.#options = options
    this.#paths = { ...POS_DEFAULT_PATHS, ...options.paths }
    for (const [name, path] of Object.entries(this.#paths)) {
      if (/^\/[^\s?#]*$/.test(path)) continue
      throw new ConfigurationError(`the path ${name} of the POS connector is no path`, {
        fix: 'write a path that begins with a slash, such as /api/invoices/{id}/status',
      })
    }
  }

  async createInvoice(
    invoice: Readonly<Record<string, unknown>>,
    options: WriteOptions = {},
  ): Promise<Invoice> {
    const { vendorId, vendorIdPlacement = POS_VENDOR_ID_PLACEMENT } = this.#options
    const [where, name = ''] = vendorId === undefined ? [] : vendorIdPlacement.split(':')
    const json = where === 'body' ? { [name]: vendorId, ...invoice } : invoice
    const headers = where === 'header' && vendorId !== undefined ? { [name]: vendorId } : {}
    const reply = await this.#write('createInvoice', this.#paths.invoiceCreate, { json, headers }, options)
    return invoiceIn('createInvoice', reply)
  }

  /**
   * Submits an invoice. One that was submitted before is no failure: a repeat after a lost reply finds that
   * it is done.
   */
  async submitInvoice(id: string, options: WriteOptions = {}): Promise<SubmittedInvoice> {
    const path = this.#pathOf('invoiceSubmit', id)
    try {
      const reply = await this.#write('submitInvoice', path, { json: {} }, options)
      return { ...(await invoiceIn('submitInvoice', reply)), alreadySubmitted: false }
    } catch (error) {
      if (!(error instanceof PosConnectorError && error.code === 'conflict')) throw error
      return { ...(await this.getInvoiceStatus(id, options)), alreadySubmitted: true }
    }
  }

  async getInvoiceStatus(id: string, { signal }: Pick<WriteOptions, 'signal'> = {}): Promise<Invoice> {
    const reply = await this.#call(this.#pathOf('invoiceStatus', id), {
      headers: { accept: 'application/json' },
      ...(signal && { signal }),
    })
    if (!reply.ok) throw await failed('getInvoiceStatus', reply, { writes: false })
    return invoiceIn('getInvoiceStatus', reply)
  }

  /**
   * Streams the PDF to a file, which appears only when complete, or to a stream, which is destroyed where it
   * is not. Anything else than a PDF is never written. `maxBytes` is 50 MiB by default.
   */
  async downloadInvoicePdf(
    id: string,
    target: string | Writable,
    {
      signal,
      maxBytes = LARGEST_PDF_BYTES,
    }: { readonly signal?: AbortSignal; readonly maxBytes?: number } = {},
  ): Promise<DownloadedPdf> {
    const reply = await this.#call(this.#pathOf('invoicePdf', id), {
      headers: { accept: 'application/pdf' },
      ...(signal && { signal }),
    })
    if (reply.status !== 200) throw await failed('downloadInvoicePdf', reply, { writes: false })
    return downloadPdf(reply, target, maxBytes, signal)
  }

  async #write(
    operation: string,
    path: string,
    init: Pick<CallInit, 'json'> & { readonly headers?: Readonly<Record<string, string>> },
    { idempotencyKey = randomUUID(), signal }: WriteOptions,
  ): Promise<Reply> {
    const headers = {
      ...init.headers,
      accept: 'application/json',
      [POS_IDEMPOTENCY_HEADER]: idempotencyKey,
    }
    let reply: Reply
    try {
      reply = await this.#call(path, { ...init, method: 'POST', headers, ...(signal && { signal }) })
    } catch (error) {
      if (error instanceof CallError && error.code === 'network' && error.sent) {
        throw ambiguous(operation, idempotencyKey, error)
      }
      throw error
    }
    if (reply.ok) return reply
    throw await failed(operation, reply, { writes: true, idempotencyKey })
  }

  async #call(path: string, init: CallInit): Promise<Reply> {
    const { client } = this.#options
    await client.ensureValidToken()
    return client.fetch(path, init)
  }

  #pathOf(name: keyof PosConnectorPaths, id: string): string {
    return this.#paths[name].replace('{id}', () => encodeURIComponent(id))
  }
}

async function failed(
  operation: string,
  reply: Reply,
  details: { readonly writes: boolean; readonly idempotencyKey?: string },
): Promise<PosConnectorError> {
  // A redirect that remains after the repeat leads to the login page and means the same as a 401
  // (lib/brokers/pos-connector/README.md, Invoices).
  const status = reply.status === 302 ? 401 : reply.status
  return posConnectorError(operation, { status, body: await reply.text() }, details)
}

async function invoiceIn(operation: string, reply: Reply): Promise<Invoice> {
  const parsed = InvoiceReply.safeParse(await jsonOf(reply))
  if (!parsed.success) {
    throw new PosConnectorError(`${operation}: the reply is no invoice (HTTP ${reply.status})`, {
      code: 'response_unexpected',
      actor: 'operator',
      status: reply.status,
      fix: 'check baseUrl and the paths of the client against the routes of the backend',
    })
  }
  const data = 'data' in parsed.data && isInvoice(parsed.data.data) ? parsed.data.data : parsed.data
  const { id, status } = data as z.output<typeof InvoiceData>
  return { id: String(id), status: status ?? undefined, data }
}

function isInvoice(value: unknown): value is z.output<typeof InvoiceData> {
  return InvoiceData.safeParse(value).success
}

async function jsonOf(reply: Reply): Promise<unknown> {
  try {
    return JSON.parse(await reply.text())
  } catch {
    return undefined
  }
}
