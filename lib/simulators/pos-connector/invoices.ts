import type { Hono } from 'hono'
import type { Temporal } from 'temporal-polyfill'
import type { SimulatorEnv } from '../kit/simulator.ts'
import { invalid, page, reply } from './replies.ts'

const IDEMPOTENCY_HEADER = 'idempotency-key'
const FIRST_ID = 1001

export interface SimulatedInvoice {
  readonly id: string
  readonly number: string
  readonly vendorId: string
  status: 'draft' | 'accepted'
}

/** What the PDF route answers with. */
export type PdfBehaviour = 'pdf' | 'html' | 'truncated'

/** What the invoice routes need of the backend around them. */
export interface InvoiceHost {
  now(): Temporal.Instant
  /** The vendor of a live bearer token's user, or the refusal to answer with. */
  authenticated(request: Request): { readonly vendorId: string } | Response
  pdf(): PdfBehaviour
}

/** Create, submit, status and PDF of lib/brokers/pos-connector/README.md, Invoices, with idempotency by header. */
export class PosInvoices {
  readonly invoices = new Map<string, SimulatedInvoice>()
  readonly #host: InvoiceHost
  /** What was answered to an idempotency key: status and body. */
  readonly #answered = new Map<string, readonly [number, string]>()

  constructor(host: InvoiceHost) {
    this.#host = host
  }

  mount(app: Hono<SimulatorEnv>, prefix: string): void {
    app.post(`${prefix}/api/invoices`, (context) =>
      this.#once(context.req.raw, (vendorId) => this.#create(context.req.raw, vendorId)),
    )
    app.post(`${prefix}/api/invoices/:id/submit`, (context) =>
      this.#once(context.req.raw, async (vendorId) => this.#submit(context.req.param('id'), vendorId)),
    )
    app.get(`${prefix}/api/invoices/:id/status`, (context) =>
      this.#read(context.req.raw, context.req.param('id'), ({ id, status }) =>
        Response.json({ data: { id, status, errors: [] } }),
      ),
    )
    app.get(`${prefix}/api/invoices/:id/pdf`, (context) =>
      this.#read(context.req.raw, context.req.param('id'), (invoice) =>
        this.#pdf(invoice, () => context.env.incoming.socket?.destroy()),
      ),
    )
  }

  /** Does the work once per idempotency key; a repeat is answered like the first time. */
  async #once(request: Request, work: (vendorId: string) => Promise<Response>): Promise<Response> {
    const user = this.#host.authenticated(request)
    if (user instanceof Response) return user
    const header = request.headers.get(IDEMPOTENCY_HEADER)
    const key = header && `${request.method} ${new URL(request.url).pathname} ${user.vendorId} ${header}`
    const before = key ? this.#answered.get(key) : undefined
    if (before)
      return new Response(before[1], { status: before[0], headers: { 'content-type': 'application/json' } })
    const answer = await work(user.vendorId)
    if (key && answer.ok) this.#answered.set(key, [answer.status, await answer.clone().text()])
    return answer
  }

  async #create(request: Request, vendorId: string): Promise<Response> {
    const body = (await request.json().catch(() => ({}))) as Record<string, unknown>
    const { lines, invoice_number: number, vendor_id: named = request.headers.get('x-vendor-id') } = body
    if (!Array.isArray(lines) || lines.length === 0)
      return invalid({ lines: ['The lines field is required.'] })
    if (named !== null && named !== vendorId) return reply(403, 'This action is unauthorized.')
    const id = String(FIRST_ID + this.invoices.size)
    const invoice: SimulatedInvoice = { id, number: String(number ?? `SIM-${id}`), vendorId, status: 'draft' }
    this.invoices.set(id, invoice)
    const data = { id, invoice_number: invoice.number, status: 'draft', created_at: this.#timestamp() }
    return Response.json({ data }, { status: 201 })
  }

  #submit(id: string, vendorId: string): Response {
    const invoice = this.#find(id, vendorId)
    if (!invoice) return unknown()
    if (invoice.status !== 'draft') return reply(409, 'Invoice already submitted.')
    invoice.status = 'accepted'
    return Response.json(
      { data: { id, status: 'submitted', submitted_at: this.#timestamp() } },
      { status: 202 },
    )
  }

  #read(request: Request, id: string, answer: (invoice: SimulatedInvoice) => Response): Response {
    const user = this.#host.authenticated(request)
    if (user instanceof Response) return user
    const invoice = this.#find(id, user.vendorId)
    return invoice ? answer(invoice) : unknown()
  }

  #pdf({ number }: SimulatedInvoice, cut: () => void): Response {
    const behaviour = this.#host.pdf()
    if (behaviour === 'html') return page(200, 'Whoops, looks like something went wrong')
    const bytes = new TextEncoder().encode(`%PDF-1.7\n% simulated invoice ${number}\n%%EOF\n`)
    const headers = {
      'content-type': 'application/pdf',
      'content-disposition': `attachment; filename="${number}.pdf"`,
      'content-length': String(bytes.length),
    }
    return new Response(behaviour === 'truncated' ? brokenOff(bytes, cut) : bytes, { headers })
  }

  #find(id: string, vendorId: string): SimulatedInvoice | undefined {
    const invoice = this.invoices.get(id)
    return invoice?.vendorId === vendorId ? invoice : undefined
  }

  /** Six fractional digits, as Laravel writes them. */
  #timestamp(): string {
    return this.#host.now().toString({ fractionalSecondDigits: 6 })
  }
}

/** Half of the bytes, then a cut connection. */
function brokenOff(bytes: Uint8Array<ArrayBuffer>, cut: () => void): ReadableStream<Uint8Array<ArrayBuffer>> {
  let sent = false
  return new ReadableStream({
    pull(controller) {
      if (sent) return cut()
      sent = true
      controller.enqueue(bytes.slice(0, bytes.length / 2))
    },
  })
}

function unknown(): Response {
  return reply(404, 'No query results for model [App\\Models\\Invoice].')
}
