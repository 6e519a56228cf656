import { type AnyXrpcMethod, type XrpcCall, defineMethod, invalidRequest } from '@rookery/http'
import {
  type SigningKeys,
  issueServiceToken,
  serviceTokenDefaultMs,
  serviceTokenMaxMs,
} from '@rookery/identity'
import { privilegedScopes } from '@rookery/accounts'
import { isDid, isNsid } from '@rookery/syntax'

import { type AccessAuth, type AccessDeps, accessAuth } from '../../auth/access.ts'
import { isPrivilegedMethod, isProtectedMethod } from '../../auth/method-classes.ts'

const audienceLengthMax = 2_048

type Params = { aud: string; exp?: number; lxm?: string }

/** com.atproto.server.getServiceAuth: a token with which the account calls another service (REFERENCE 3.15). */
export function getServiceAuth(deps: AccessDeps & { signingKeys: SigningKeys }): AnyXrpcMethod {
  return defineMethod({
    nsid: 'com.atproto.server.getServiceAuth',
    auth: accessAuth(deps, { allowTakendown: true }),
    handler: async ({ params, auth }: XrpcCall<Params, unknown, AccessAuth>) => {
      const { aud, lxm } = params
      assertAudience(aud)
      assertMethod(lxm, auth)
      const expiresAtMs = expiryOf(params)
      const signer = await deps.signingKeys.signerFor(auth.account)
      return {
        token: issueServiceToken(signer, {
          issuer: auth.account.did,
          audience: aud,
          method: lxm,
          expiresAtMs,
        }),
      }
    },
  })
}

function assertAudience(aud: string): void {
  const [did = '', service, ...rest] = aud.split('#')
  const isValid =
    aud.length <= audienceLengthMax &&
    isDid(did) &&
    /^did:(plc|web):/.test(did) &&
    (service === undefined || /^[\w.-]+$/.test(service)) &&
    rest.length === 0
  if (!isValid) throw invalidRequest('aud must be a valid atproto DID or did#serviceId reference')
}

function assertMethod(lxm: string | undefined, { account, scope, permissions }: AccessAuth): void {
  const isTakendown = account.status === 'takendown' || account.status === 'suspended'
  if (isTakendown && lxm?.toLowerCase() !== 'com.atproto.server.createaccount') {
    throw invalidRequest('Bad token scope', 'InvalidToken')
  }
  if (lxm === undefined) return
  if (!isNsid(lxm)) throw invalidRequest('lxm must be an NSID')
  if (isProtectedMethod(lxm)) {
    throw invalidRequest(`cannot request a service auth token for the following protected method: ${lxm}`)
  }
  const isPrivileged = permissions !== undefined || privilegedScopes.includes(scope)
  if (isPrivilegedMethod(lxm) && !isTakendown && !isPrivileged) {
    throw invalidRequest(
      `insufficient access to request a service auth token for the following method: ${lxm}`,
    )
  }
}

function expiryOf({ exp, lxm }: Params): number {
  const now = Date.now()
  if (exp === undefined) return now + serviceTokenDefaultMs
  const lifeMs = exp * 1000 - now
  if (lifeMs < 0) throw invalidRequest('expiration is in past', 'BadExpiration')
  if (lifeMs > serviceTokenMaxMs) {
    throw invalidRequest(
      'cannot request a token with an expiration more than an hour in the future',
      'BadExpiration',
    )
  }
  if (lxm === undefined && lifeMs > serviceTokenDefaultMs) {
    throw invalidRequest(
      'cannot request a method-less token with an expiration more than a minute in the future',
      'BadExpiration',
    )
  }
  return exp * 1000
}
