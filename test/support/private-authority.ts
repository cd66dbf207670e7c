import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'

/** A certificate with its key, as PEM. */
export interface Certified {
  readonly cert: string
  readonly key: string
}

/**
 * A certificate authority nobody knows, and a server certificate of it for these DNS names, made anew each time so that
 * no key is ever kept. Node makes keys and signatures but no certificates: this writes the few fields of RFC 5280 that
 * TLS looks at.
 */
export function privateAuthority(...dnsNames: readonly string[]): { authority: string; server: Certified } {
  const [root, leaf] = [keys(), keys()]
  const authority = certificate('Invented authority of a test', root, root.publicKey, [
    extension('551d13', sequence(Buffer.from('0101ff', 'hex')), true),
  ])
  const names = dnsNames.map((name) => tagged(0x82, Buffer.from(name, 'ascii')))
  const cert = certificate('Invented server of a test', root, leaf.publicKey, [
    extension('551d11', sequence(...names)),
  ])
  return {
    authority,
    server: { cert, key: leaf.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string },
  }
}

interface Keys {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

function keys(): Keys {
  return generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
}

const ISSUER = 'Invented authority of a test'
/** ecdsa-with-SHA256. */
const ALGORITHM = sequence(oid('2a8648ce3d040302'))

function certificate(
  subject: string,
  issuer: Keys,
  publicKey: KeyObject,
  extensions: readonly Buffer[],
): string {
  const body = sequence(
    tagged(0xa0, tagged(0x02, Buffer.from([2]))),
    tagged(0x02, Buffer.from([subject.length])),
    ALGORITHM,
    nameOf(ISSUER),
    sequence(time('20200101000000Z'), time('21200101000000Z')),
    nameOf(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...extensions)),
  )
  const signature = sign('sha256', body, issuer.privateKey)
  const der = sequence(body, ALGORITHM, tagged(0x03, Buffer.from([0]), signature))
  return `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`
}

function nameOf(common: string): Buffer {
  return sequence(tagged(0x31, sequence(oid('550403'), tagged(0x0c, Buffer.from(common)))))
}

function extension(id: string, value: Buffer, critical = false): Buffer {
  return sequence(oid(id), ...(critical ? [Buffer.from('0101ff', 'hex')] : []), tagged(0x04, value))
}

function time(text: string): Buffer {
  return tagged(0x18, Buffer.from(text))
}

function oid(hex: string): Buffer {
  return tagged(0x06, Buffer.from(hex, 'hex'))
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, ...parts)
}

/** DER: a tag, a length in as few bytes as it takes, and the content. */
function tagged(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}
