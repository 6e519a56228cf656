import {
  type CompatibleOp,
  type Operation,
  type Tombstone,
  type UnsignedOperation,
  addSignature,
  createOp,
  createUpdateOp,
} from '@did-plc/lib'
import { cidForCbor, cidToString, encodeData } from '@rookery/syntax'

import {
  DidDeactivatedError,
  DidNotFoundError,
  IncompatibleDidDocError,
  PlcRefusedError,
  PlcUnavailableError,
} from '../errors.ts'
import { keySigner } from '../crypto/signer.ts'
import { verifyingSigner } from '../keys/verifying-signer.ts'
import { plcConflictTriesMax, rotationKeysMax } from '../limits.ts'
import type { PlcClient, PlcData } from './plc-client.ts'

/** What @did-plc/lib signs with. */
type OperationSigner = Parameters<typeof createOp>[0]['signer']

export type PlcIdentitiesOptions = {
  client: PlcClient
  /** Private key (32 bytes in hexadecimal) that signs operations for the cluster's accounts. */
  rotationKey: string
  /** Those that went before it, which documents may still name. Default none. */
  previousRotationKeys?: readonly string[] | undefined
  /** Public did:key of the operator that goes before the rotation key. */
  recoveryDidKey?: string | undefined
}

/** What an account's DID document is to say. */
export type WantedIdentity = { handle: string; signingKey: string; pdsUrl: string }

/** A DID that was made and is not registered yet. */
export type NewDid = {
  did: string
  /** Registers it; safe to repeat. */
  register: () => Promise<void>
  /** Tombstones it. */
  tombstone: () => Promise<void>
}

/** Changes that a user wants in the DID's last operation; what is not given stays. */
export type OperationChange = {
  rotationKeys?: string[] | undefined
  alsoKnownAs?: string[] | undefined
  verificationMethods?: PlcData['verificationMethods'] | undefined
  services?: PlcData['services'] | undefined
}

/** Makes, changes and checks did:plc identities with the cluster's rotation key (SPEC PLC, IDN-8…13). */
export class PlcIdentities {
  readonly #options: PlcIdentitiesOptions
  readonly #keypair: OperationSigner
  /** The current one first. */
  readonly #keypairs: readonly OperationSigner[]

  /** @throws {InvalidKeyError} if the rotation key is none. */
  constructor(options: PlcIdentitiesOptions) {
    this.#options = options
    this.#keypair = operationSigner(options.rotationKey)
    this.#keypairs = [this.#keypair, ...(options.previousRotationKeys ?? []).map(operationSigner)]
  }

  /** The cluster's rotation key as did:key. */
  get rotationDidKey(): string {
    return this.#keypair.did()
  }

  /** Tells whether one of the keys is the cluster's: the rotation key or one that went before it. */
  hasOurRotationKey(rotationKeys: readonly unknown[]): boolean {
    return this.#keypairs.some((keypair) => rotationKeys.includes(keypair.did()))
  }

  /** Returns the rotation keys of a new account, the most powerful first: the user's own, the operator's, ours. */
  rotationKeys(userRecoveryKey?: string): string[] {
    const keys = [userRecoveryKey, this.#options.recoveryDidKey, this.rotationDidKey]
    return [...new Set(keys.filter((key) => key !== undefined))]
  }

  /** Makes a DID; nothing is sent before `register`. */
  async mint(wanted: WantedIdentity, userRecoveryKey?: string): Promise<NewDid> {
    const { did, op } = await createOp({
      signingKey: wanted.signingKey,
      handle: wanted.handle,
      pds: wanted.pdsUrl,
      rotationKeys: this.rotationKeys(userRecoveryKey),
      signer: this.#keypair,
    })
    return {
      did,
      register: () => this.#sendSurely(did, op),
      tombstone: async () => {
        const tombstone = { type: 'plc_tombstone', prev: cidToString(cidForCbor(encodeData(op))) } as const
        const signed: Tombstone = await addSignature(tombstone, this.#keypair)
        await this.#options.client.send(did, signed)
      },
    }
  }

  /** Makes the handle the DID's first alias, and keeps the aliases that are no handles; sends nothing if it is. */
  async updateHandle(did: string, handle: string): Promise<void> {
    const { alsoKnownAs } = await this.#options.client.data(did)
    if (alsoKnownAs[0] === `at://${handle}`) return
    await this.#update(did, (last) => ({
      ...last,
      alsoKnownAs: [`at://${handle}`, ...last.alsoKnownAs.filter((alias) => !alias.startsWith('at://'))],
    }))
  }

  /**
   * Makes the key the one that signs the DID's commits; sends nothing if it is.
   *
   * @throws {IncompatibleDidDocError} if the DID is no did:plc or does not name a rotation key of ours.
   */
  async updateSigningKey(did: string, didKey: string): Promise<void> {
    assertPlcDid(did)
    const { verificationMethods, rotationKeys } = await this.#options.client.data(did)
    if (verificationMethods['atproto'] === didKey) return
    if (!this.hasOurRotationKey(rotationKeys)) {
      throw new IncompatibleDidDocError(`${did} does not name a rotation key of this cluster`)
    }
    await this.#update(did, (last) => ({
      ...last,
      verificationMethods: { ...last.verificationMethods, atproto: didKey },
    }))
  }

  /**
   * Makes a DID say that it is at home here: its PDS, signing key and handle.
   *
   * @throws {IncompatibleDidDocError} if it does not name a rotation key of ours.
   */
  async pointHere(did: string, wanted: WantedIdentity): Promise<void> {
    const { rotationKeys } = await this.#options.client.data(did)
    if (!this.hasOurRotationKey(rotationKeys)) {
      throw new IncompatibleDidDocError(`${did} does not name a rotation key of this cluster`)
    }
    await this.#update(did, (last) => ({
      ...last,
      verificationMethods: { ...last.verificationMethods, atproto: wanted.signingKey },
      services: {
        ...last.services,
        atproto_pds: { type: 'AtprotoPersonalDataServer', endpoint: wanted.pdsUrl },
      },
      alsoKnownAs: [
        `at://${wanted.handle}`,
        ...last.alsoKnownAs.filter((alias) => !alias.startsWith('at://')),
      ],
    }))
  }

  /**
   * Puts the rotation key in the place of those that went before it, in a document that names one.
   *
   * @param options.isDryRun tells only what would be done.
   * @returns `updated`, `current` if there was nothing to do, `removed` if the document names no key of ours.
   */
  async updateRotationKey(
    did: string,
    options: { isDryRun: boolean },
  ): Promise<'updated' | 'current' | 'removed'> {
    const { rotationKeys } = await this.#options.client.data(did)
    if (!this.hasOurRotationKey(rotationKeys)) return 'removed'
    const previous = this.#keypairs.slice(1).map((keypair) => keypair.did())
    if (!rotationKeys.some((key) => previous.includes(key))) return 'current'
    if (options.isDryRun) return 'updated'
    const renewed = (key: string): string => (previous.includes(key) ? this.rotationDidKey : key)
    await this.#update(did, (last) => ({
      ...last,
      rotationKeys: [...new Set(last.rotationKeys.map(renewed))],
    }))
    return 'updated'
  }

  /**
   * Returns the DID's last operation with the changes, signed with our rotation key and not sent.
   *
   * @throws {IncompatibleDidDocError} if it is no did:plc, or would have more rotation keys than the specification
   *   allows.
   */
  async signOperation(did: string, change: OperationChange): Promise<Operation> {
    assertPlcDid(did)
    if ((change.rotationKeys?.length ?? 0) > rotationKeysMax) {
      throw new IncompatibleDidDocError(`A DID has at most ${rotationKeysMax} rotation keys`)
    }
    const last = await this.#lastOperation(did)
    return createUpdateOp(last, this.#signerOf(last), (normalized) => ({
      ...normalized,
      rotationKeys: change.rotationKeys ?? normalized.rotationKeys,
      alsoKnownAs: change.alsoKnownAs ?? normalized.alsoKnownAs,
      verificationMethods: change.verificationMethods ?? normalized.verificationMethods,
      services: change.services ?? normalized.services,
    }))
  }

  /**
   * Sends an operation that was checked.
   *
   * @throws {IncompatibleDidDocError} if it is no did:plc.
   */
  async submit(did: string, operation: object): Promise<void> {
    assertPlcDid(did)
    await this.#options.client.send(did, operation)
  }

  /** Returns what the DID's operations come to. */
  data(did: string): Promise<PlcData> {
    return this.#options.client.data(did)
  }

  async #update(
    did: string,
    change: (last: UnsignedOperation) => Omit<UnsignedOperation, 'prev'>,
  ): Promise<void> {
    for (let tries = 1; ; tries++) {
      const last = await this.#lastOperation(did)
      const operation = await createUpdateOp(last, this.#signerOf(last), change)
      try {
        await this.#options.client.send(did, operation)
        return
      } catch (error) {
        // Another operation came between: build on that one.
        const isOvertaken =
          error instanceof PlcRefusedError &&
          (error.status === 409 || error.message.includes('not correctly ordered'))
        if (!isOvertaken || tries === plcConflictTriesMax) throw error
      }
    }
  }

  /** The one of our keys that may sign what follows the operation; the current one if none may. */
  #signerOf(last: CompatibleOp): OperationSigner {
    const allowed = 'rotationKeys' in last ? last.rotationKeys : [last.recoveryKey, last.signingKey]
    return this.#keypairs.find((keypair) => allowed.includes(keypair.did())) ?? this.#keypair
  }

  async #lastOperation(did: string): Promise<CompatibleOp> {
    const last = await this.#options.client.lastOperation(did)
    if (last.type === 'plc_tombstone') throw new DidDeactivatedError('Did is tombstoned')
    return last
  }

  /** Sends a first operation, and if the answer got lost, looks whether it arrived. */
  async #sendSurely(did: string, operation: Operation): Promise<void> {
    try {
      await this.#options.client.send(did, operation)
    } catch (error) {
      if (!(error instanceof PlcUnavailableError) || !(await this.#isKnown(did))) throw error
    }
  }

  async #isKnown(did: string): Promise<boolean> {
    try {
      await this.#options.client.lastOperation(did)
      return true
    } catch (error) {
      if (error instanceof DidNotFoundError) return false
      throw error
    }
  }
}

function operationSigner(privateKey: string): OperationSigner {
  const signer = verifyingSigner(keySigner(Buffer.from(privateKey, 'hex')))
  return { did: () => signer.didKey, sign: (bytes) => Promise.resolve(signer.sign(bytes)) }
}

/**
 * Returns if the DID's document changes by operations of the PLC directory.
 *
 * @throws {IncompatibleDidDocError} if it is its owner's to change.
 */
export function assertPlcDid(did: string): void {
  if (isPlcDid(did)) return
  throw new IncompatibleDidDocError('Only a did:plc has operations: change the DID document where it is kept')
}

/** Tells whether the DID's document changes by operations of the PLC directory. */
export function isPlcDid(did: string): boolean {
  return did.startsWith('did:plc:')
}
