import { readFileSync } from 'node:fs'
import { ConfigurationError } from '../../model/errors.ts'

/** Byte-order marks and what they stand for. */
const MARKS: readonly { readonly bytes: readonly number[]; readonly encoding: string }[] = [
  { bytes: [0xef, 0xbb, 0xbf], encoding: 'utf-8' },
  { bytes: [0xff, 0xfe], encoding: 'utf-16le' },
  { bytes: [0xfe, 0xff], encoding: 'utf-16be' },
]

/**
 * A text file as people's editors write it: UTF-8, or what its byte-order mark says. Throws ConfigurationError, which
 * names the line of a byte that is none of the encoding's; what cannot be opened throws as readFileSync does.
 */
export function readTextFile(path: string, shown: string): string {
  const bytes = readFileSync(path)
  const mark = MARKS.find((one) => one.bytes.every((byte, index) => bytes[index] === byte))
  const encoding = mark?.encoding ?? 'utf-8'
  try {
    // The decoder drops the mark.
    return new TextDecoder(encoding, { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new ConfigurationError(
      `${shown} is no ${encoding.toUpperCase()} text: see line ${badLine(bytes)}`,
      {
        cause,
        fix: 'save it as UTF-8',
      },
    )
  }
}

function badLine(bytes: Uint8Array): number {
  const whole = new TextDecoder('utf-8').decode(bytes)
  return whole.slice(0, Math.max(0, whole.indexOf('\ufffd'))).split('\n').length
}
