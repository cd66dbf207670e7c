import { createHash } from 'node:crypto'
import type { Secret } from './secret.ts'

const CHARACTERS = 16

/**
 * Lets a program see whether it holds the same token, by computing the same from its own: the first 16 hex characters
 * of the token's SHA-256 (lib/brokers/upstox/README.md, Mirror).
 */
export function fingerprint(token: Secret): string {
  return createHash('sha256').update(token.reveal()).digest('hex').slice(0, CHARACTERS)
}
