import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Temporal } from 'temporal-polyfill'
import * as z from 'zod/mini'
import { parseAccountId } from '../model/account-id.ts'
import { ConfigurationError } from '../model/errors.ts'
import { Secret } from '../model/secrets/secret.ts'
import type { Clock } from '../ports/clock.ts'
import { storedValue, type TokenVault } from '../ports/token-vault.ts'

/** The account under which the vault keeps the key for links, cookies and forms; no broker has this name. */
const SITE = parseAccountId('site')
const NAME = 'signing_key'
const KEY_BYTES = 32
const ID_BYTES = 6
/** The newest key and the one before it, so that links already sent stay valid after a rotation. */
const KEYS_KEPT = 2
/** Seconds that keys are kept in memory: a function lives for hours and must notice a rotation. */
const KEPT_SECONDS = 5 * 60
/**
 * Seconds until a missing key is looked for again. So strangers who invent key ids cost one read per this
 * time.
 */
const MISSED_SECONDS = 10

const Stored = z.array(
  z.object({
    id: z.string().check(z.regex(/^[A-Za-z0-9_-]{1,32}$/)),
    key: z.string().check(z.minLength(32)),
  }),
)

/**
 * What a signature is for. Each purpose has its own derived key, so that no signature counts for another
 * purpose.
 */
export type Purpose = 'link' | 'cookie' | 'form' | 'webhook'

export interface SigningKey {
  readonly id: string
  readonly key: Secret
}

/** The keys that make and check signatures. Every method throws TokenVaultError and ConfigurationError. */
export interface SigningKeys {
  /** The key to sign with; `undefined` where none was made yet. */
  current(): Promise<SigningKey | undefined>
  /** The key with this id, to check a signature; `undefined` for an unknown id. */
  named(id: string): Promise<SigningKey | undefined>
  /** All stored keys, the newest first. */
  all(): Promise<readonly SigningKey[]>
}

/** The keys in the vault, read again every five minutes. */
export function storedSigningKeys(vault: Pick<TokenVault, 'read'>, clock: Clock): SigningKeys {
  let known: { readonly keys: readonly SigningKey[]; readonly at: Temporal.Instant } | undefined
  let reading: Promise<readonly SigningKey[]> | undefined

  const readOnce = (): Promise<readonly SigningKey[]> => {
    reading ??= readKeys(vault)
      .then((keys) => {
        known = { keys, at: clock.now() }
        return keys
      })
      .finally(() => {
        reading = undefined
      })
    return reading
  }
  const wasReadWithin = (seconds: number): boolean =>
    known !== undefined && known.at.until(clock.now()).total('seconds') < seconds
  const all = async (): Promise<readonly SigningKey[]> => {
    const kept = known?.keys.length ? KEPT_SECONDS : MISSED_SECONDS
    return known && wasReadWithin(kept) ? known.keys : readOnce()
  }
  return {
    all,
    async current() {
      return (await all())[0]
    },
    async named(id) {
      const called = (keys: readonly SigningKey[]): SigningKey | undefined =>
        keys.find((key) => key.id === id)
      const found = called(await all())
      // Not found: the key may have been made since the last read.
      return found || wasReadWithin(MISSED_SECONDS) ? found : called(await readOnce())
    },
  }
}

/**
 * Makes the first key where there is none. For the command line and `serve`, since functions only read. Of
 * two processes that do so at once the later one's key remains. Throws TokenVaultError and
 * ConfigurationError.
 */
export async function ensureSigningKey(vault: TokenVault): Promise<void> {
  if ((await readKeys(vault)).length === 0) await writeKeys(vault, [newKey()])
}

/**
 * Adds a new key. What the key before it has signed stays valid until the next rotation. Throws
 * TokenVaultError and ConfigurationError.
 */
export async function rotateSigningKey(vault: TokenVault): Promise<void> {
  const older = await readKeys(vault)
  await writeKeys(vault, [newKey(), ...older].slice(0, KEYS_KEPT))
}

/** The HMAC-SHA256 of a text, in base64url, by the key that is derived for one purpose. */
export function signature({ key }: SigningKey, purpose: Purpose, text: string): string {
  const derived = createHmac('sha256', key.reveal()).update(purpose).digest()
  return createHmac('sha256', derived).update(text).digest('base64url')
}

/** Whether this signature of the text is right. Takes the same time for any wrong one. */
export function isSignature(key: SigningKey, purpose: Purpose, text: string, given: string): boolean {
  const right = Buffer.from(signature(key, purpose, text))
  const candidate = Buffer.from(given)
  return candidate.length === right.length && timingSafeEqual(candidate, right)
}

async function readKeys(vault: Pick<TokenVault, 'read'>): Promise<readonly SigningKey[]> {
  const stored = (await vault.read(SITE, [NAME])).get(NAME)
  return stored ? parsed(stored.value) : []
}

function parsed(stored: Secret): readonly SigningKey[] {
  try {
    return Stored.parse(JSON.parse(stored.reveal())).map(({ id, key }) => ({ id, key: new Secret(key) }))
  } catch {
    // Without the value, and without the cause, which may repeat it.
    throw new ConfigurationError(`what is stored as ${SITE} ${NAME} is not what this software writes there`, {
      fix: 'remove that one secret, then have a new one made: tokenkeeper alerts rotate-key',
    })
  }
}

async function writeKeys(vault: TokenVault, keys: readonly SigningKey[]): Promise<void> {
  const text = JSON.stringify(keys.map(({ id, key }) => ({ id, key: key.reveal() })))
  await vault.write(SITE, NAME, storedValue(NAME, text))
}

function newKey(): SigningKey {
  const id = randomBytes(ID_BYTES).toString('base64url')
  return { id, key: new Secret(randomBytes(KEY_BYTES).toString('base64url')) }
}
