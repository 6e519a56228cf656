import type { Account } from '@rookery/accounts'
import { type PdsHost, invalidRequest } from '@rookery/http'
import { type RecordPath, findBlobTakedown, findRecordTakedown } from '@rookery/records'
import { type AtUri, type Cid, cidToString, parseAtUri, parseCid } from '@rookery/syntax'

import type { Operator } from '../../auth/operator.ts'
import { type AdminDeps, findReachedAccount } from './admin-deps.ts'

/** What a takedown is about, as the lexicons write it. */
export type SubjectRef =
  | { $type: 'com.atproto.admin.defs#repoRef'; did: string }
  | { $type: 'com.atproto.repo.strongRef'; uri: string; cid: string }
  | { $type: 'com.atproto.admin.defs#repoBlobRef'; did: string; cid: string }

/** A subject that is here: an account, or what is in its repo. */
export type Subject =
  | { kind: 'account'; account: Account }
  | { kind: 'record'; account: Account; path: RecordPath; uri: AtUri }
  | { kind: 'blob'; account: Account; cid: Cid }

/** `com.atproto.admin.defs#statusAttr`. */
export type StatusAttribute = { applied: boolean; ref?: string }

/** How a subject stands, as the admin methods answer it. */
export type SubjectStatus = {
  subject: SubjectRef
  takedown: StatusAttribute
  deactivated?: StatusAttribute
}

/** What names a subject: of `uri`, `did` and `blob` the lexicons use one, or the last two. */
export type SubjectName = { did?: string; uri?: string; blob?: string }

/**
 * Returns the subject of a name. That its account is here is looked up; whether there is such a record or blob is not.
 *
 * @throws {XrpcError} 400 if the name is incomplete, or NotFound if the host has no such account in reach.
 */
export async function getSubject(
  deps: Pick<AdminDeps, 'db'>,
  call: { host: PdsHost; auth: Operator },
  name: SubjectName,
): Promise<Subject> {
  const uri = name.uri === undefined ? undefined : parseAtUri(name.uri)
  const owner = uri?.authority ?? name.did
  if (owner === undefined) {
    throw invalidRequest(
      name.blob === undefined ? 'No provided subject' : 'Must provide a did to request blob state',
    )
  }
  const account = await findReachedAccount(deps, call, owner)
  if (account === undefined) throw subjectNotFound()
  if (uri !== undefined) {
    const { collection, rkey } = uri
    if (collection === undefined || rkey === undefined) throw invalidRequest('The uri must be of a record')
    return { kind: 'record', account, path: { accountId: account.id, collection, rkey }, uri: name.uri ?? '' }
  }
  if (name.blob === undefined) return { kind: 'account', account }
  return { kind: 'blob', account, cid: parseCid(name.blob) }
}

/** Returns what a reference names. */
export function nameOf(ref: Partial<SubjectRef>): SubjectName {
  if (ref.$type === 'com.atproto.admin.defs#repoRef') return { did: ref.did ?? '' }
  if (ref.$type === 'com.atproto.repo.strongRef') return { uri: ref.uri ?? '' }
  if (ref.$type === 'com.atproto.admin.defs#repoBlobRef') return { did: ref.did ?? '', blob: ref.cid ?? '' }
  throw invalidRequest('Invalid subject')
}

/**
 * Returns how a subject stands.
 *
 * @throws {XrpcError} 400 NotFound if there is no such record.
 * @throws {BlobNotFoundError} if there is no such blob.
 */
export async function getSubjectState(deps: Pick<AdminDeps, 'db'>, subject: Subject): Promise<SubjectStatus> {
  const { account } = subject
  if (subject.kind === 'account') return accountState(account)
  if (subject.kind === 'record') {
    const row = await findRecordTakedown(deps.db.pool, subject.path)
    if (row === undefined) throw subjectNotFound()
    return {
      subject: { $type: 'com.atproto.repo.strongRef', uri: subject.uri, cid: cidToString(row.cid) },
      takedown: attributeOf(row.takedown_ref),
    }
  }
  const ref = await findBlobTakedown(deps.db.pool, { accountId: account.id, cid: subject.cid })
  return {
    subject: { $type: 'com.atproto.admin.defs#repoBlobRef', did: account.did, cid: cidToString(subject.cid) },
    takedown: attributeOf(ref ?? null),
  }
}

function accountState({ did, takedown_ref, deactivated_at }: Account): SubjectStatus {
  return {
    subject: { $type: 'com.atproto.admin.defs#repoRef', did },
    takedown: attributeOf(takedown_ref),
    deactivated: { applied: deactivated_at !== null },
  }
}

function attributeOf(ref: string | null): StatusAttribute {
  return ref === null ? { applied: false } : { applied: true, ref }
}

/** The answer for what is not here, or out of reach. */
export function subjectNotFound(): Error {
  return invalidRequest('Subject not found', 'NotFound')
}
