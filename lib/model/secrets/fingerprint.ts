import { createHash } from 'node:crypto'
import type { Secret } from './secret.ts'

const CHARACTERS = 16

/**
 * The first 16 hex characters of a token's SHA-256 (lib/brokers/upstox/README.md, Mirror). A program computes
 * the same of its own token to see whether it holds this one.
 */
export function fingerprint(token: Secret): string {
  return createHash('sha256').update(token.reveal()).digest('hex').slice(0, CHARACTERS)
}
