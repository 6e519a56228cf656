import type { Account } from '@rookery/accounts'
import type { BlobStore } from '@rookery/blobs'
import type { Database } from '@rookery/db'
import { atprotoData, findDidKey, findNextDidKey, isPlcDid } from '@rookery/identity'
import { checkBlobs, checkRepo } from '@rookery/records'
import { cidToString, tryParseHandle } from '@rookery/syntax'
import type { Host } from '@rookery/tenants'

import type { CtlIdentity } from '../identity.ts'
import { type Finding, type Report, reasonOf } from './finding.ts'

export type CheckAccountDeps = {
  db: Database
  identity: CtlIdentity
  /** Undefined if blobs are not to be compared with objects. */
  store: BlobStore | undefined
  report: Report
}

type Find = (severity: Finding['severity'], check: string, problem: string, hint: string) => void

/** CIDs that one finding names. */
const namedCidsMax = 5

/** Checks an account: its repo, its identity on the network, its blobs. Reads only. */
export async function checkAccount(deps: CheckAccountDeps, account: Account, host: Host): Promise<void> {
  const find: Find = (severity, check, problem, hint) =>
    deps.report({ severity, check, subject: account.did, problem, hint })
  await checkStoredRepo(deps, account, find)
  // Who is not active may be at home elsewhere by now.
  if (account.status === 'active') await checkIdentity(deps, { account, host, find })
  if (deps.store !== undefined) await checkStoredBlobs({ db: deps.db, store: deps.store }, account, find)
}

async function checkStoredRepo({ db }: CheckAccountDeps, { id }: Account, find: Find): Promise<void> {
  const { recordsMatch, packsComplete, isSigned } = await checkRepo(db.pool, id).catch((error: unknown) => {
    find('error', 'repo', `the repo cannot be read: ${reasonOf(error)}`, 'restore it from a backup')
    return { recordsMatch: true, packsComplete: true, isSigned: true }
  })
  if (!recordsMatch) {
    find('error', 'repo', 'its records do not make the tree that its head names', 'restore it from a backup')
  } else if (!packsComplete) {
    find('error', 'repo', 'nodes of its tree are missing', '`ctl repo rebuild` makes them from the records')
  }
  if (isSigned === undefined) find('error', 'keys', 'it has no signing key here', 'restore it from a backup')
  if (isSigned === false) {
    find('error', 'repo', 'its head is not signed with its key', '`ctl keys rotate-signing` signs it anew')
  }
  if ((await findNextDidKey(db.pool, id)) !== undefined) {
    find(
      'warning',
      'keys',
      'a rotation of its signing key has not ended',
      'run `ctl keys rotate-signing` again',
    )
  }
}

async function checkIdentity(
  { db, identity }: CheckAccountDeps,
  { account, host, find }: { account: Account; host: Host; find: Find },
): Promise<void> {
  const { did, handle } = account
  const { identities, plc } = identity
  try {
    const claimed = atprotoData(await identities.resolveDid(did, { refresh: true }))
    if (claimed.pdsUrl !== host.publicUrl) {
      const elsewhere = claimed.pdsUrl ?? 'no PDS'
      find(
        'error',
        'identity',
        `its DID document names ${elsewhere}`,
        'relays drop its events: it moved away?',
      )
    }
    if (claimed.signingKey !== (await findDidKey(db.pool, account.id))) {
      const hint = 'relays refuse its commits: run `ctl keys rotate-signing`'
      find('error', 'identity', 'its DID document names another signing key', hint)
    }
    if (claimed.handle !== (handle ?? undefined)) {
      const problem = `its DID document names the handle ${claimed.handle ?? 'nobody'}, not ${handle ?? 'none'}`
      find('warning', 'identity', problem, 'give it the handle again: com.atproto.admin.updateAccountHandle')
    }
    const parsed = handle === null ? undefined : tryParseHandle(handle)
    if (parsed !== undefined && (await identities.resolveHandle(parsed, { refresh: true })) !== did) {
      find('warning', 'identity', `the handle ${parsed} does not name it`, 'DNS, or the proof by HTTPS')
    }
    if (isPlcDid(did) && !plc.hasOurRotationKey((await plc.data(did)).rotationKeys)) {
      const hint = 'only its owner can change its identity'
      find('warning', 'identity', 'its DID names no rotation key of this cluster', hint)
    }
  } catch (error) {
    find('error', 'identity', `its DID cannot be resolved: ${reasonOf(error)}`, 'is the directory away?')
  }
}

async function checkStoredBlobs(
  deps: { db: Database; store: BlobStore },
  { id, host_id: hostId }: Account,
  find: Find,
): Promise<void> {
  const found = await checkBlobs({ db: deps.db.pool, store: deps.store }, { id, hostId })
  const { withoutObject, withoutRow, neverUploaded, miscounted, usage } = found
  if (withoutObject.length > 0) {
    const cids = withoutObject.slice(0, namedCidsMax).map(cidToString).join(', ')
    find(
      'error',
      'blobs',
      `${withoutObject.length} blob(s) have no bytes in the store: ${cids}`,
      'restore objects',
    )
  }
  if (withoutRow.length > 0) {
    const problem = `${withoutRow.length} object(s) are nobody's, such as ${withoutRow[0]}`
    find('warning', 'blobs', problem, 'is a worker running? It removes them after a day')
  }
  if (neverUploaded > 0) {
    const hint = 'after a move its app uploads what listMissingBlobs names'
    find('warning', 'blobs', `records refer to ${neverUploaded} blob(s) that nobody has uploaded`, hint)
  }
  if (miscounted.length > 0) {
    const cids = miscounted.slice(0, namedCidsMax).map(cidToString).join(', ')
    find(
      'error',
      'blobs',
      `${miscounted.length} blob(s) have a wrong count of references: ${cids}`,
      'report it',
    )
  }
  const { kept, counted } = usage
  if (kept.bytes !== counted.bytes || kept.count !== counted.count) {
    const problem = `its totals say ${kept.count} blobs of ${kept.bytes} bytes, there are ${counted.count} of ${counted.bytes}`
    find('warning', 'usage', problem, '`ctl usage recount`')
  }
}
