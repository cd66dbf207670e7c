import {
  constants,
  createCipheriv,
  createHash,
  generateKeyPairSync,
  type KeyObject,
  publicEncrypt,
  randomBytes,
} from 'node:crypto'
import { Temporal } from 'temporal-polyfill'
import { describe, expect, test } from 'vitest'
import {
  aesEncrypt,
  aesKeyIn,
  type EnvelopeKeys,
  layOut,
  newOwnKeys,
  openEnvelope,
  peerKeyIn,
  readLayout,
  sealEnvelope,
} from '../../../lib/brokers/iifl/envelope.ts'
import { iifl } from '../../../lib/brokers/iifl/iifl.ts'
import { checkSum } from '../../../lib/brokers/iifl/session.ts'
import { parseAccountId } from '../../../lib/model/account-id.ts'
import { Secret } from '../../../lib/model/secrets/secret.ts'
import { brokerContext } from '../../../lib/tokens/transaction/broker-context.ts'
import { World } from '../../support/world.ts'

const KEY = Buffer.from([...Array(32).keys()])
const IV = Buffer.from([...Array(16).keys()])
const REQUEST = '{"clientId":"IIFLTEST1","password":"Passw0rd!"}'
const CIPHERTEXT =
  '17cd9b742605223086813e6dbf2c0e1b90dbaf4b655ece40f3c60112be5257695a7082d625b4f2d7aab1069509736f06'

const own = await newOwnKeys()
const peer = peerKeyIn(own.publicText)
if (!peer) throw new Error('our own key must be readable')
/** Both ends in one, so that what is sealed can be opened here. */
const keys: EnvelopeKeys = { own, peer }

describe('checkSum', () => {
  const parts = [new Secret('IIFLTEST1'), new Secret('AUTHCODE123'), new Secret('S3CRET')] as const

  test('of the published vector', () => {
    expect(checkSum(...parts)).toBe('752dbfbf522ad4fd68d9545151b4d81b59aad46402b3b90ca0dfce7bf2f6428b')
  })

  test('has no separators, as the negative vector has', () => {
    const separated = createHash('sha256').update('IIFLTEST1:AUTHCODE123:S3CRET').digest('hex')
    expect(separated).toBe('967f75a1b387cc88d3045a1f526918f66ce43fa48e44730a936319f99672caf7')
    expect(checkSum(...parts)).not.toBe(separated)
  })
})

describe('the one-time code', () => {
  // The vectors at 59 s and at 1111111109 s have less than 8 s left, so their steps are entered at the start.
  test.each([
    ['GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', 30, '287082'],
    ['GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', 1111111080, '081804'],
    ['GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', 1234567890, '005924'],
    ['GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', 2000000000, '279037'],
    ['JBSWY3DPEHPK3PXP', 1789201667, '541734'],
    ['JBSWY3DPEHPK3PXP', 1789201680, '045416'],
  ])('of %s in the step of %i s is %s', async (secret, seconds, code) => {
    const { world, context } = contextAt(seconds)
    expect(await context.totp(new Secret(secret))).toBe(code)
    await world.close()
  })

  test('is not made with less than 8 s left, nor twice in one step', async () => {
    const { world, context } = contextAt(59)
    const secret = new Secret('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ')
    expect(await context.totp(secret)).not.toBe('287082')
    // Nothing has told the broker's time yet, which may be two seconds behind.
    expect(world.clock.now().epochMilliseconds).toBe(62_000)
    await context.totp(secret)
    expect(world.clock.now().epochMilliseconds).toBe(92_000)
    await world.close()
  })

  function contextAt(seconds: number) {
    const world = new World(Temporal.Instant.fromEpochMilliseconds(seconds * 1000).toString())
    const deadline = world.clock.now().add({ minutes: 10 })
    const options = {
      broker: iifl,
      account: parseAccountId('iifl'),
      settings: {},
      stored: new Map(),
      deadline,
    }
    return { world, context: brokerContext({ ...options, totpStep: undefined }, world.ports) }
  }
})

describe('the envelope', () => {
  test('encrypts the published AES vector', () => {
    expect(aesEncrypt(KEY, IV, REQUEST).toString('hex')).toBe(CIPHERTEXT)
  })

  test('is laid out as the published vector', () => {
    const layout = {
      senderText: 'UFVCS0VZ',
      iv: IV,
      encryptedKey: Buffer.alloc(256, 0xab),
      ciphertext: Buffer.from(CIPHERTEXT, 'hex'),
    }
    const bytes = layOut(layout)
    expect(bytes).toHaveLength(340)
    expect(bytes.subarray(0, 40).toString('hex')).toBe(
      '00000008554656435330565a00000010000102030405060708090a0b0c0d0e0f00000100abababab',
    )
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(
      '70defae3e517727a9e9e27a0f853c0cf55b1884b259cf9b3db6e548f7e16027a',
    )
    expect(readLayout(bytes)).toEqual(layout)
  })

  test('of a full request has 968 characters, with a public key of 392', () => {
    expect(own.publicText).toHaveLength(392)
    expect(sealEnvelope(JSON.parse(REQUEST), keys)).toHaveLength(968)
  })

  test('is opened by whom it was sealed for, spaces and all, and by nobody else', async () => {
    const payload = { password: 'with  spaces and ünïcode' }
    const envelope = sealEnvelope(payload, keys)
    const opened = openEnvelope(envelope, own.privateKey)
    expect(opened).toEqual({ senderText: own.publicText, text: JSON.stringify(payload) })
    expect(openEnvelope(envelope, (await newOwnKeys()).privateKey)).toBeUndefined()
  })

  test('is never sealed twice alike', () => {
    expect(sealEnvelope({ a: 1 }, keys)).not.toBe(sealEnvelope({ a: 1 }, keys))
  })

  test.each([
    ['no base64', () => 'not an envelope'],
    ['empty', () => ''],
    ['cut in half', () => Buffer.from(sealed()).subarray(0, 300).toString('base64')],
    ['a length beyond its end', () => altered((bytes) => bytes.writeUInt32BE(0xffffffff, 0))],
    ['a changed AES key', () => altered((bytes) => bytes.writeUInt8((bytes[500] ?? 0) ^ 1, 500))],
    ['a ciphertext without its last block', () => sealed().subarray(0, -16).toString('base64')],
    ['no ciphertext', () => sealed().subarray(0, 676).toString('base64')],
    ['an AES key of 16 bytes', () => withKeyOf(16)],
    ['an AES key of 33 bytes', () => withKeyOf(33)],
    ['bytes that are no UTF-8', () => latin1()],
  ])('with %s gives nothing, without saying why', (_what, envelope) => {
    expect(openEnvelope(envelope(), own.privateKey)).toBeUndefined()
  })

  function sealed(): Buffer {
    return Buffer.from(sealEnvelope(JSON.parse(REQUEST), keys), 'base64')
  }

  function altered(change: (bytes: Buffer) => void): string {
    const bytes = sealed()
    change(bytes)
    return bytes.toString('base64')
  }

  function withKeyOf(length: number): string {
    const encryptedKey = publicEncrypt(
      { key: keys.peer, padding: constants.RSA_PKCS1_PADDING },
      randomBytes(length),
    )
    return layOut({
      senderText: 'UFVCS0VZ',
      iv: IV,
      encryptedKey,
      ciphertext: aesEncrypt(KEY, IV, '{}'),
    }).toString('base64')
  }

  function latin1(): string {
    const encryptedKey = publicEncrypt({ key: keys.peer, padding: constants.RSA_PKCS1_PADDING }, KEY)
    const cipher = createCipheriv('aes-256-cbc', KEY, IV)
    const ciphertext = Buffer.concat([cipher.update('é', 'latin1'), cipher.final()])
    return layOut({ senderText: 'UFVCS0VZ', iv: IV, encryptedKey, ciphertext }).toString('base64')
  }
})

describe('a decrypted RSA block', () => {
  const padding = Buffer.alloc(221, 0x55)
  const block = (...parts: (number[] | Buffer)[]): Buffer =>
    Buffer.concat(parts.map((part) => Buffer.from(part)))

  test('gives the 32 bytes after 00 02, padding and 00', () => {
    expect(aesKeyIn(block([0, 2], padding, [0], KEY))).toEqual(KEY)
  })

  test.each([
    ['block type 1', block([0, 1], padding, [0], KEY)],
    ['a first byte that is not zero', block([1, 2], padding, [0], KEY)],
    ['a zero within the padding', block([0, 2], padding.subarray(1), [0], [0], KEY)],
    ['no zero before the key', block([0, 2], padding, [7], KEY)],
    ['seven bytes of padding', block([0, 2], padding.subarray(0, 7), [0], KEY)],
    ['too few bytes for a key', block([0, 2, 0])],
  ])('with %s gives nothing', (_what, bytes) => {
    expect(aesKeyIn(bytes)).toBeUndefined()
  })

  test('is taken from raw RSA, because Node invents bytes for a bad PKCS#1 block', () => {
    const noPadding = publicEncrypt(
      { key: keys.peer, padding: constants.RSA_NO_PADDING },
      block([0], Buffer.alloc(255, 0x33)),
    )
    const parts = { senderText: '', iv: IV, encryptedKey: noPadding, ciphertext: aesEncrypt(KEY, IV, '{}') }
    expect(openEnvelope(layOut(parts).toString('base64'), own.privateKey)).toBeUndefined()
  })
})

describe("the other side's key", () => {
  function spki(key: KeyObject): string {
    return key.export({ type: 'spki', format: 'der' }).toString('base64')
  }

  test.each([
    ['no key', 'bm8ga2V5'],
    ['nothing', ''],
    ['an EC key', spki(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey)],
    ['an RSA key of 1024 bits', spki(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey)],
  ])('is none in %s', (_what, text) => {
    expect(peerKeyIn(text)).toBeUndefined()
  })
})
