import { pipeline, type Readable, type Transform } from 'node:stream'
import { constants, createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'

/** As in fetch: what is packed may be nothing at all, and HTTP itself tells of a body that was cut short. */
const UNFINISHED = { finishFlush: constants.Z_SYNC_FLUSH }

/** By their names in RFC 9110 section 8.4.1, `x-gzip` included. */
const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: () => createGunzip(UNFINISHED),
  'x-gzip': () => createGunzip(UNFINISHED),
  deflate: () => createInflate(UNFINISHED),
  br: () => createBrotliDecompress({ finishFlush: constants.BROTLI_OPERATION_FLUSH }),
}
/** No honest reply is packed more often; each layer multiplies what a few bytes can become. */
const MOST_LAYERS = 2

/**
 * A body as it was before it was packed for the way, which servers and proxies do unasked, too. One that is packed in an
 * unknown way stays as it is. Reading it fails where it is broken.
 */
export function decoded(body: Readable, contentEncoding: string | string[] | undefined): Readable {
  if (contentEncoding === undefined) return body
  const names = String(contentEncoding)
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'identity')
  const decoders = names.flatMap((name) => DECODERS[name] ?? [])
  if (names.length === 0 || names.length > MOST_LAYERS || decoders.length < names.length) return body
  // Whoever reads the end hears of a fault in any part.
  return decoders.reduceRight<Readable>((stream, make) => pipeline(stream, make(), () => undefined), body)
}
