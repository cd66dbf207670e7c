import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { Temporal } from 'temporal-polyfill'
import type { AccountId } from './account-id.ts'
import { isAfter } from './time/instants.ts'

/** What a key may be used for. No scope implies another one. */
export const SCOPES = ['status', 'validate', 'token', 'refresh', 'update', 'admin'] as const

/** One right that a key can have. */
export type Scope = (typeof SCOPES)[number]

/** What is stored of a key: enough to recognise it, but nobody can use it as a key. */
export interface ApiKey {
  /** Public: it is in the key, in lists and in logs. */
  readonly id: string
  /** What its owner calls it. */
  readonly name: string
  /**
   * SHA-256 of the whole key, in base64url. A plain hash is right here: it has to withstand guessing of the key, and
   * 256 random bits cannot be guessed. A slow password hash would only slow down every request.
   */
  readonly hash: string
  readonly scopes: readonly Scope[]
  /** The only accounts it may be used for. @default - all there are, later ones too */
  readonly accounts?: readonly AccountId[]
  readonly createdAt: Temporal.Instant
  readonly expiresAt?: Temporal.Instant
  readonly revokedAt?: Temporal.Instant
}

const ID_CHARACTERS = 'abcdefghijklmnopqrstuvwxyz234567'
const ID_LENGTH = 10
const SECRET_BYTES = 32
/** `tk_`, the id, 256 bits in base64url. */
const FORM = /^tk_([a-z2-7]{10})_[A-Za-z0-9_-]{43}$/
const INSTANTS: ReadonlySet<string> = new Set(['createdAt', 'expiresAt', 'revokedAt'])
/** Compared with where no key is on record; no text that anybody could present has this hash. */
const NOBODYS_HASH = hashOf(randomBytes(SECRET_BYTES).toString('base64url'))

/** What the owner chooses for a new key. */
export interface NewApiKey extends Omit<ApiKey, 'id' | 'hash' | 'revokedAt'> {}

/** Makes a key. `text` is the key itself: it is given to its owner once and stored nowhere. */
export function newApiKey(wish: NewApiKey): { readonly text: string; readonly key: ApiKey } {
  const id = [...randomBytes(ID_LENGTH)].map((byte) => ID_CHARACTERS[byte % ID_CHARACTERS.length]).join('')
  const text = `tk_${id}_${randomBytes(SECRET_BYTES).toString('base64url')}`
  return { text, key: { id, hash: hashOf(text), ...wish } }
}

/** The id inside a presented key; `undefined` for a text that cannot be a key. */
export function apiKeyIdIn(text: string): string | undefined {
  return FORM.exec(text)?.[1]
}

/**
 * Whether `text` is the key on record. Takes the same time for any wrong text, also where there is no record,
 * so that the time tells nothing.
 */
export function isApiKey(text: string, key: Pick<ApiKey, 'hash'> | undefined): boolean {
  const right = Buffer.from(key?.hash ?? NOBODYS_HASH)
  const given = Buffer.from(hashOf(text))
  return right.length === given.length && timingSafeEqual(right, given) && key !== undefined
}

/** Why a key on record may not be used at `now`; `undefined` when it may. */
export function objectionTo(
  { revokedAt, expiresAt }: Pick<ApiKey, 'revokedAt' | 'expiresAt'>,
  now: Temporal.Instant,
): 'revoked' | 'expired' | undefined {
  if (revokedAt) return 'revoked'
  return expiresAt && !isAfter(expiresAt, now) ? 'expired' : undefined
}

/** The record as plain JSON values, instants as ISO 8601 text. */
export function encodeApiKey(key: ApiKey): Record<string, unknown> {
  return JSON.parse(JSON.stringify(key)) as Record<string, unknown>
}

/** The inverse of {@link encodeApiKey}. */
export function decodeApiKey(record: Readonly<Record<string, unknown>>): ApiKey {
  const entries = Object.entries(record).map(([name, value]) => [
    name,
    INSTANTS.has(name) ? Temporal.Instant.from(value as string) : value,
  ])
  return Object.fromEntries(entries) as ApiKey
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
