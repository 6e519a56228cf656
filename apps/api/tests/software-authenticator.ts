import { type KeyObject, createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'

import { encode } from '@ipld/dag-cbor'

const flags = { present: 0x01, verified: 0x04, attested: 0x40 }

type CreationOptions = { challenge: string; rp: { id: string }; user: { id: string } }
type RequestOptions = { challenge: string; rpId: string }

/** A device with a passkey (WebAuthn level 3, 6 and 7.1), written from the specification: ES256, without attestation. */
export class SoftwareAuthenticator {
  readonly id = randomBytes(32)
  readonly #origin: string
  readonly #key: KeyObject
  readonly #x: Buffer
  readonly #y: Buffer
  counter = 0
  /** Whether its owner shows a finger, or types a PIN. */
  isVerified = true
  /** Signs in with the counter that it has: as a copy of it would. */
  isStuck = false

  constructor(origin: string) {
    this.#origin = origin
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
    this.#key = privateKey
    this.#x = Buffer.from(x, 'base64url')
    this.#y = Buffer.from(y, 'base64url')
  }

  /** What `navigator.credentials.create` returns, as JSON. */
  create({ challenge, rp }: CreationOptions): string {
    const length = Buffer.alloc(2)
    length.writeUInt16BE(this.id.length)
    const attested = Buffer.concat([Buffer.alloc(16), length, this.id, this.#coseKey()])
    const authData = Buffer.concat([this.#head(rp.id, flags.attested), attested])
    return this.#answer({
      clientDataJSON: this.#clientData('webauthn.create', challenge),
      attestationObject: Buffer.from(encode({ fmt: 'none', attStmt: {}, authData })).toString('base64url'),
      transports: ['internal'],
    })
  }

  /** What `navigator.credentials.get` returns, as JSON. */
  get({ challenge, rpId }: RequestOptions): string {
    if (!this.isStuck) this.counter++
    const authenticatorData = this.#head(rpId, 0)
    const clientDataJSON = this.#clientData('webauthn.get', challenge)
    const digest = createHash('sha256').update(Buffer.from(clientDataJSON, 'base64url')).digest()
    const signature = sign('sha256', Buffer.concat([authenticatorData, digest]), this.#key)
    return this.#answer({
      clientDataJSON,
      authenticatorData: authenticatorData.toString('base64url'),
      signature: signature.toString('base64url'),
    })
  }

  #answer(response: object): string {
    const id = this.id.toString('base64url')
    return JSON.stringify({ id, rawId: id, type: 'public-key', clientExtensionResults: {}, response })
  }

  #clientData(type: string, challenge: string): string {
    const data = { type, challenge, origin: this.#origin, crossOrigin: false }
    return Buffer.from(JSON.stringify(data)).toString('base64url')
  }

  #head(rpId: string, more: number): Buffer {
    const counter = Buffer.alloc(4)
    counter.writeUInt32BE(this.counter)
    const state = flags.present | (this.isVerified ? flags.verified : 0) | more
    return Buffer.concat([createHash('sha256').update(rpId).digest(), Buffer.of(state), counter])
  }

  /** The key as COSE has it (RFC 9053): a CBOR map with the numbers 1, 3, -1, -2 and -3 as keys. */
  #coseKey(): Buffer {
    const coordinate = (key: number, bytes: Buffer): Buffer =>
      Buffer.concat([Buffer.of(key, 0x58, 32), bytes])
    return Buffer.concat([
      Buffer.of(0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01),
      coordinate(0x21, this.#x),
      coordinate(0x22, this.#y),
    ])
  }
}
