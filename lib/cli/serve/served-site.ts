import { createHash } from 'node:crypto'
import { USER_AGENT } from '../../model/version.ts'
import type { Http } from '../../ports/http.ts'

/** Tells processes of one home that they share it; the path itself is nobody's business. */
export const INSTANCE_HEADER = 'tokenkeeper-instance'
/** A cold function takes a second or two. */
const PATIENCE_MS = 8_000

/** What `serve` says in {@link INSTANCE_HEADER} for the accounts in a folder. */
export function instanceOf(home: string): string {
  return createHash('sha256').update(`home ${home}`).digest('base64url').slice(0, 22)
}

/**
 * Whether a site answers there; where `home` is given, the `serve` of the accounts in it: the rehearsal's is for
 * others. Never throws.
 */
export async function isServed(siteUrl: string, http: Http, home?: string): Promise<boolean> {
  try {
    const headers = { 'user-agent': USER_AGENT }
    const url = `${siteUrl}/health`
    const { status, headers: said } = await http.send({ method: 'GET', url, headers, timeoutMs: PATIENCE_MS })
    return status === 200 && (home === undefined || said[INSTANCE_HEADER] === instanceOf(home))
  } catch {
    return false
  }
}
