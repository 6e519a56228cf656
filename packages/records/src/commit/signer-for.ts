import type { SigningKeys } from '@rookery/identity'
import type { Sign } from '@rookery/repo'

/** Whose repo is written. */
export type RepoRef = { readonly accountId: number; readonly did: string }

/** Whose repo is written, and by which session. */
export type WrittenRepo = RepoRef & {
  /** Epoch of the session, which must still be the account's when the commit is stored; undefined if it has none. */
  readonly sessionEpoch?: number | undefined
}

/**
 * Returns what signs an account's commits. The head of the repo says which version of the account's key that is: a
 * process may have an older one in memory.
 */
export type SignerFor = (repo: RepoRef, keyVersion: number) => Promise<Sign>

/** Returns what signs repos with the accounts' keys. */
export function repoSigner(keys: Pick<SigningKeys, 'signerFor'>): SignerFor {
  return async ({ accountId, did }, keyVersion) => {
    const signer = await keys.signerFor({ id: accountId, did }, keyVersion)
    return (bytes) => signer.sign(bytes)
  }
}
