import {
  constants,
  createCipheriv,
  createDecipheriv,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
  randomBytes,
} from 'node:crypto'
import { promisify } from 'node:util'

// IIFL's hybrid envelope (README, Envelope): AES-256-CBC over the JSON, the AES key under RSA PKCS#1 v1.5.
const RSA_BITS = 2048
const AES = 'aes-256-cbc'
const AES_KEY_BYTES = 32
const IV_BYTES = 16
const LENGTH_BYTES = 4
/** RFC 8017 section 7.2.1: at least eight random bytes, none of them zero, before the separating zero. */
const PKCS1_SHORTEST_PADDING_BYTES = 8

/** One side's keys in an exchange: the public one, and the private one it keeps. */
export interface OwnKeys {
  /** SPKI DER as base64 without armour: 392 characters. */
  readonly publicText: string
  readonly privateKey: KeyObject
}

/** The keys that both directions of an exchange need. */
export interface EnvelopeKeys {
  readonly own: OwnKeys
  readonly peer: KeyObject
}

/** The parts of an envelope (README, Envelope). */
export interface Layout {
  /** The sender's public key as base64 text. */
  readonly senderText: string
  readonly iv: Buffer
  readonly encryptedKey: Buffer
  readonly ciphertext: Buffer
}

/** The decrypted text of an envelope, and the sender's public key as base64 text. */
export interface Opened {
  readonly senderText: string
  readonly text: string
}

/** A fresh RSA key pair. */
export async function newOwnKeys(): Promise<OwnKeys> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: RSA_BITS })
  return { publicText: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'), privateKey }
}

/** The other side's RSA key; `undefined` where the text holds none of the right size. */
export function peerKeyIn(text: string): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: Buffer.from(text, 'base64'), type: 'spki', format: 'der' })
    return key.asymmetricKeyDetails?.modulusLength === RSA_BITS ? key : undefined
  } catch {
    return undefined
  }
}

/** Seals `payload`, serialised as JSON, and returns the envelope in base64. */
export function sealEnvelope(payload: unknown, keys: EnvelopeKeys): string {
  const key = randomBytes(AES_KEY_BYTES)
  const iv = randomBytes(IV_BYTES)
  const encryptedKey = publicEncrypt({ key: keys.peer, padding: constants.RSA_PKCS1_PADDING }, key)
  const ciphertext = aesEncrypt(key, iv, JSON.stringify(payload))
  return layOut({ senderText: keys.own.publicText, iv, encryptedKey, ciphertext }).toString('base64')
}

/**
 * Opens an envelope. `undefined` for every deviation alike: if a caller could tell them apart, it could be
 * used as the oracle of Bleichenbacher's and Vaudenay's attacks.
 */
export function openEnvelope(envelope: string, privateKey: KeyObject): Opened | undefined {
  const layout = readLayout(Buffer.from(envelope, 'base64'))
  if (!layout) return undefined
  try {
    // RSA_PKCS1_PADDING is not used: for a bad block Node either refuses or, by implicit rejection, invents
    // bytes.
    const block = privateDecrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, layout.encryptedKey)
    const key = aesKeyIn(block)
    return key && { senderText: layout.senderText, text: aesDecrypt(key, layout.iv, layout.ciphertext) }
  } catch {
    return undefined
  }
}

/** The AES key in a decrypted PKCS#1 v1.5 block: 00 02, padding without a zero, 00, and exactly the key. */
export function aesKeyIn(block: Buffer): Buffer | undefined {
  const separator = block.length - AES_KEY_BYTES - 1
  if (separator < 2 + PKCS1_SHORTEST_PADDING_BYTES) return undefined
  if (block[0] !== 0 || block[1] !== 2 || block[separator] !== 0) return undefined
  return block.subarray(2, separator).includes(0) ? undefined : block.subarray(separator + 1)
}

/** Encrypts a text by AES-256-CBC. Node pads by PKCS#7, as the envelope needs. */
export function aesEncrypt(key: Buffer, iv: Buffer, text: string): Buffer {
  const cipher = createCipheriv(AES, key, iv)
  return Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
}

function aesDecrypt(key: Buffer, iv: Buffer, ciphertext: Buffer): string {
  const decipher = createDecipheriv(AES, key, iv)
  const bytes = Buffer.concat([decipher.update(ciphertext), decipher.final()])
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
}

/** Puts an envelope's parts together: three parts, each after its length, then the ciphertext. */
export function layOut({ senderText, iv, encryptedKey, ciphertext }: Layout): Buffer {
  const parts = [Buffer.from(senderText, 'utf8'), iv, encryptedKey].flatMap((part) => {
    const length = Buffer.alloc(LENGTH_BYTES)
    length.writeUInt32BE(part.length)
    return [length, part]
  })
  return Buffer.concat([...parts, ciphertext])
}

/** The inverse of {@link layOut}; `undefined` where a length does not fit. */
export function readLayout(bytes: Buffer): Layout | undefined {
  const parts: Buffer[] = []
  let offset = 0
  while (parts.length < 3) {
    if (offset + LENGTH_BYTES > bytes.length) return undefined
    const start = offset + LENGTH_BYTES
    offset = start + bytes.readUInt32BE(offset)
    if (offset > bytes.length) return undefined
    parts.push(bytes.subarray(start, offset))
  }
  const [sender, iv, encryptedKey] = parts as [Buffer, Buffer, Buffer]
  return { senderText: sender.toString('utf8'), iv, encryptedKey, ciphertext: bytes.subarray(offset) }
}
