import { AccessDeniedError, AuthorizationError, InvalidDpopProofError } from '@atproto/oauth-provider/errors'
import type { OAuthHooks } from '@atproto/oauth-provider/hooks'

import type { Grants } from './grant-queries.ts'

type Hooks = Required<Pick<OAuthHooks, 'onAuthorizationRequest' | 'onAuthorized'>>

/**
 * Returns what the specification asks of a request besides what the provider looks at: who pushes one shows the key
 * that everything will be bound to (SPEC OA-19), `state` and a whole SHA-256 as challenge are there (SPEC OA-6, OA-7),
 * and only the account that was named signs in.
 */
export function requestRules(grants: Pick<Grants, 'grant'>): Hooks {
  return {
    onAuthorizationRequest: ({ parameters }) => {
      if (parameters.dpop_jkt === undefined) throw new InvalidDpopProofError('DPoP proof required')
      if (parameters.state === undefined || parameters.state === '') {
        throw new AuthorizationError(parameters, 'state is required')
      }
      if (!isSha256(parameters.code_challenge ?? '')) {
        throw new AuthorizationError(parameters, 'code_challenge must be a SHA-256 in base64url')
      }
    },
    onAuthorized: async ({ client, account, parameters }) => {
      const { login_hint: hint, prompt, scope = '' } = parameters
      const isNamed = hint === undefined || hint === account.did || hint === account.handle
      if (!isNamed && prompt !== 'create') {
        throw new AccessDeniedError(parameters, 'The app asked for another account')
      }
      // Nobody can tell apps on the user's machine from one another.
      if (!isLocalClient(client.id)) await grants.grant(account.did, client.id, scope.split(' '))
    },
  }
}

/** Tells whether the client is an app on the user's own machine (SPEC OA-15). */
function isLocalClient(clientId: string): boolean {
  return clientId.startsWith('http://localhost')
}

/** One text for each hash: otherwise a challenge would be new when it is written in another way. */
function isSha256(challenge: string): boolean {
  const bytes = Buffer.from(challenge, 'base64url')
  return bytes.length === 32 && bytes.toString('base64url') === challenge
}
