import { randomBytes } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Reply } from '../calls/reply.ts'
import { PosConnectorError, type PosConnectorErrorDetails } from './pos-connector-error.ts'

const MAGIC = '%PDF-'
const OWNER_ONLY = 0o600

export interface DownloadedPdf {
  readonly bytes: number
  /** The name the backend gives the file, without any folder; absent where it gives none. */
  readonly fileName: string | undefined
}

/**
 * Streams a PDF to a file or a stream. A 200 with another type is an error page
 * (lib/brokers/pos-connector/README.md, Invoices), and a body that is shorter than announced is not kept.
 * Throws PosConnectorError, the signal's reason, and what writing throws.
 */
export async function downloadPdf(
  reply: Reply,
  target: string | Writable,
  maxBytes: number,
  signal: AbortSignal | undefined,
): Promise<DownloadedPdf> {
  const body = reply.stream()
  const { headers } = reply
  const announced = Number(headers.get('content-length') ?? Number.NaN)
  try {
    if (!/^application\/pdf\b/i.test(headers.get('content-type') ?? '')) throw notAPdf()
    if (announced > maxBytes) throw tooLarge(maxBytes)
  } catch (error) {
    body.on('error', () => undefined).destroy()
    throw error
  }
  const check = new PdfCheck(maxBytes)
  const written = typeof target === 'string' ? fileFor(target) : { stream: target }
  try {
    await pipeline(body, (source: AsyncIterable<Buffer>) => check.checked(source), written.stream, {
      ...(signal && { signal }),
    })
    if (!Number.isNaN(announced) && check.bytes !== announced) throw incomplete()
    await written.keep?.()
  } catch (error) {
    await written.drop?.()
    if (signal?.aborted) throw signal.reason
    throw error instanceof PosConnectorError || !body.errored ? error : incomplete(body.errored)
  }
  return { bytes: check.bytes, fileName: fileNameIn(headers.get('content-disposition')) }
}

interface Written {
  readonly stream: Writable
  keep?(): Promise<void>
  drop?(): Promise<void>
}

/** Writes under another name and renames the complete file, so that nobody sees half of it. */
function fileFor(path: string): Written {
  const aside = `${path}.${randomBytes(8).toString('hex')}.part`
  const stream = createWriteStream(aside, { flags: 'wx', mode: OWNER_ONLY, flush: true })
  return {
    stream,
    keep: () => rename(aside, path),
    async drop() {
      // A download that fails at once may end before the file exists, so its closing is awaited.
      if (!stream.closed) await new Promise<void>((resolve) => stream.once('close', resolve))
      await rm(aside, { force: true })
    },
  }
}

/** Lets a PDF through, and throws for other content and beyond a size. */
class PdfCheck {
  bytes = 0
  readonly #maxBytes: number

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  async *checked(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let beginning: Buffer | undefined = Buffer.alloc(0)
    for await (const chunk of source) {
      this.bytes += chunk.length
      if (this.bytes > this.#maxBytes) throw tooLarge(this.#maxBytes)
      if (!beginning) {
        yield chunk
        continue
      }
      beginning = Buffer.concat([beginning, chunk])
      if (beginning.length < MAGIC.length) continue
      if (beginning.subarray(0, MAGIC.length).toString('latin1') !== MAGIC) throw notAPdf()
      yield beginning
      beginning = undefined
    }
    if (beginning) throw notAPdf()
  }
}

/** The file name in the plain form of RFC 6266; `undefined` for one that could lead into another folder. */
function fileNameIn(disposition: string | null): string | undefined {
  const [, quoted, bare] = /;\s*filename=(?:"([^"]*)"|([^;\s]+))/i.exec(disposition ?? '') ?? []
  const name = quoted ?? bare ?? ''
  return /^[^/\\\0]{1,255}$/.test(name) && !/^\.+$/.test(name) ? name : undefined
}

function notAPdf(): PosConnectorError {
  return failed('what the backend sent is no PDF', {
    code: 'not_a_pdf',
    actor: 'operator',
    fix: 'open the invoice at the backend: it may be an error page, or the path invoicePdf is another one',
  })
}

function tooLarge(maxBytes: number): PosConnectorError {
  return failed(`the PDF is larger than ${maxBytes} bytes`, {
    code: 'pdf_too_large',
    actor: 'developer',
    fix: 'give a larger maxBytes if such invoices are expected',
  })
}

function incomplete(cause?: unknown): PosConnectorError {
  return failed('the PDF broke off before its end; nothing was kept', {
    code: 'pdf_incomplete',
    actor: 'wait',
    fix: 'download it again',
    cause,
  })
}

function failed(message: string, details: PosConnectorErrorDetails): PosConnectorError {
  return new PosConnectorError(`downloadInvoicePdf: ${message}`, details)
}
