import { z } from 'zod'

import { IncompatibleDidDocError } from '../errors.ts'
import { atprotoData } from '../resolution/did-document.ts'
import type { IdentityResolver } from '../resolution/identity-resolver.ts'
import type { PlcData } from './plc-client.ts'
import { type OperationChange, type PlcIdentities, isPlcDid } from './plc-identities.ts'

const pdsServiceType = 'AtprotoPersonalDataServer'

/** What an account's identity has to say for this host to be its PDS; the handle is null if it has none. */
export type OwnIdentity = { did: string; signingKey: string; pdsUrl: string; handle: string | null }

/** What getRecommendedDidCredentials answers (SPEC IDN-8); only a did:plc has rotation keys. */
export type RecommendedCredentials = Omit<PlcData, 'did' | 'rotationKeys'> & { rotationKeys?: string[] }

/** Returns what the account's DID should say to be at home here. */
export function recommendedCredentials(
  plc: Pick<PlcIdentities, 'rotationKeys'>,
  own: { did: string; signingKey: string; pdsUrl: string; handle: string },
): RecommendedCredentials {
  return {
    ...(isPlcDid(own.did) && { rotationKeys: plc.rotationKeys() }),
    alsoKnownAs: [`at://${own.handle}`],
    verificationMethods: { atproto: own.signingKey },
    services: { atproto_pds: { type: pdsServiceType, endpoint: own.pdsUrl } },
  }
}

/** An operation as somebody submits it: nothing of it is trusted. */
export type SubmittedOperation = {
  rotationKeys?: unknown
  services?: unknown
  verificationMethods?: unknown
  alsoKnownAs?: unknown
}

/**
 * Returns if the operation keeps the account working here (SPEC IDN-11).
 *
 * @throws {IncompatibleDidDocError} if it would take the account out of our hands.
 */
export function assertOperationKeepsAccount(
  operation: SubmittedOperation,
  own: {
    plc: Pick<PlcIdentities, 'hasOurRotationKey'>
    signingKey: string
    pdsUrl: string
    handle: string | null
  },
): void {
  const { rotationKeys, alsoKnownAs } = operation
  if (!Array.isArray(rotationKeys) || !own.plc.hasOurRotationKey(rotationKeys)) {
    throw new IncompatibleDidDocError("Rotation keys do not include server's rotation key")
  }
  const pds = field(field(operation.services, 'atproto_pds'))
  if (pds?.['type'] !== pdsServiceType)
    throw new IncompatibleDidDocError('Incorrect type on atproto_pds service')
  if (pds['endpoint'] !== own.pdsUrl)
    throw new IncompatibleDidDocError('Incorrect endpoint on atproto_pds service')
  if (field(operation.verificationMethods)?.['atproto'] !== own.signingKey) {
    throw new IncompatibleDidDocError('Incorrect signing key')
  }
  if (own.handle !== null && (!Array.isArray(alsoKnownAs) || alsoKnownAs[0] !== `at://${own.handle}`)) {
    throw new IncompatibleDidDocError('Incorrect handle in alsoKnownAs')
  }
}

/**
 * Returns if the DID, asked anew, says that the account is here and signs with our key (SPEC IDN-12). A document that
 * its owner writes must name the account's handle too; that of a did:plc got it from an operation that was checked.
 *
 * @throws {IncompatibleDidDocError} if it does not.
 * @throws {DidNotFoundError} if the DID is not known.
 * @throws {DidUnreachableError} or {PlcUnavailableError} if nobody answers.
 */
export async function assertIdentityIsOurs(
  deps: { plc: PlcIdentities; identities: IdentityResolver },
  own: OwnIdentity,
): Promise<void> {
  const { pdsUrl, signingKey, handle } = await currentIdentity(deps, own.did)
  if (pdsUrl !== own.pdsUrl) {
    throw new IncompatibleDidDocError(
      'DID document atproto_pds service endpoint does not match PDS public url',
    )
  }
  if (signingKey !== own.signingKey) {
    throw new IncompatibleDidDocError('DID document verification method does not match expected signing key')
  }
  if (!isPlcDid(own.did) && own.handle !== null && handle !== own.handle) {
    throw new IncompatibleDidDocError(`DID document does not name the handle ${own.handle}`)
  }
}

async function currentIdentity(
  deps: { plc: PlcIdentities; identities: IdentityResolver },
  did: string,
): Promise<{ pdsUrl: string | undefined; signingKey: string | undefined; handle?: string | undefined }> {
  if (!isPlcDid(did)) return atprotoData(await deps.identities.resolveDid(did, { refresh: true }))
  const data = await deps.plc.data(did)
  if (!deps.plc.hasOurRotationKey(data.rotationKeys)) {
    throw new IncompatibleDidDocError('Server rotation key not included in PLC DID data')
  }
  return {
    pdsUrl: data.services['atproto_pds']?.endpoint,
    signingKey: data.verificationMethods['atproto'],
  }
}

function field(value: unknown, name?: string): Record<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const object = value as Record<string, unknown>
  return name === undefined ? object : field(object[name])
}

/**
 * Returns the changes that somebody asks of their DID's last operation; fields of the wrong shape are refused here, for
 * the library that signs takes anything.
 *
 * @throws {IncompatibleDidDocError} if a field has the wrong shape.
 */
export function parseOperationChange(
  input: Partial<Record<keyof OperationChange, unknown>>,
): OperationChange {
  const parsed = operationChange.safeParse(input)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new IncompatibleDidDocError(
    `Invalid ${issue?.path.join('.') ?? 'operation'}: ${issue?.message ?? ''}`,
  )
}

const texts = z.array(z.string())
const operationChange = z.object({
  rotationKeys: texts.optional(),
  alsoKnownAs: texts.optional(),
  verificationMethods: z.record(z.string(), z.string()).optional(),
  services: z.record(z.string(), z.object({ type: z.string(), endpoint: z.string() })).optional(),
})
