import type { ReadOptions } from '@rookery/records'

import type { OptionalAuth } from '../../auth/access.ts'

/** Returns what the caller may see of a repo: the operator and the account itself, all of it (SPEC ST-3). */
export function readOptions(auth: OptionalAuth, did: string): ReadOptions {
  const isOwner = auth.type === 'access' && auth.account.did === did
  return { allowInactive: isOwner || auth.type === 'admin' }
}

/** Media type of a CAR. */
export const carType = 'application/vnd.ipld.car'
