/** The account that the other host must not reach, and what is known of it to whoever tries. */
export type Victim = {
  did: string
  handle: string
  email: string
  password: string
  accessJwt: string
  refreshJwt: string
  recordCid: string
  commitCid: string
  blobCid: string
  rkey: string
  /** Number in the account table: for deployments that would take it as a parameter. */
  accountId: number
}

/** How to aim a method at the victim. */
export type Attempt = {
  params?: Record<string, string | string[]>
  input?: unknown
  bytes?: { type: string; body: Buffer }
  /** Why an answer may speak of the victim after all: it is public on the network, or it is of the caller only. */
  mayAnswer?: string
}

const collection = 'app.bsky.feed.post'
const post = { $type: collection, text: 'not yours', createdAt: '2026-01-01T00:00:00.000Z' }

/** One entry for every XRPC method that is served; the test fails for a method without one. */
export const attempts: Record<string, (victim: Victim) => Attempt> = {
  'com.atproto.admin.deleteAccount': ({ did }) => ({ input: { did } }),
  'com.atproto.admin.disableAccountInvites': ({ did }) => ({ input: { account: did } }),
  'com.atproto.admin.enableAccountInvites': ({ did }) => ({ input: { account: did } }),
  'com.atproto.admin.getAccountInfo': ({ did }) => ({ params: { did } }),
  'com.atproto.admin.getAccountInfos': ({ did }) => ({ params: { dids: [did] } }),
  'com.atproto.admin.getSubjectStatus': ({ did }) => ({ params: { did } }),
  'com.atproto.admin.searchAccounts': ({ email }) => ({ params: { email } }),
  'com.atproto.admin.updateAccountEmail': ({ did, email }) => ({
    input: { account: did, email: `other-${email}` },
  }),
  'com.atproto.admin.updateAccountHandle': ({ did }) => ({ input: { did, handle: 'other.two.test' } }),
  'com.atproto.admin.updateAccountPassword': ({ did }) => ({ input: { did, password: 'taken over' } }),
  'com.atproto.admin.updateSubjectStatus': ({ did }) => ({
    input: {
      subject: { $type: 'com.atproto.admin.defs#repoRef', did },
      takedown: { applied: true, ref: 'x' },
    },
  }),
  'com.atproto.identity.getRecommendedDidCredentials': () => ({}),
  'com.atproto.identity.refreshIdentity': ({ did }) => ({
    input: { identifier: did },
    mayAnswer: 'identities are public',
  }),
  'com.atproto.identity.requestPlcOperationSignature': () => ({}),
  'com.atproto.identity.resolveDid': ({ did }) => ({
    params: { did },
    mayAnswer: 'DID documents are public',
  }),
  'com.atproto.identity.resolveHandle': ({ handle }) => ({
    params: { handle },
    mayAnswer: 'handles are public',
  }),
  'com.atproto.identity.resolveIdentity': ({ did }) => ({
    params: { identifier: did },
    mayAnswer: 'identities are public',
  }),
  'com.atproto.identity.signPlcOperation': () => ({ input: { token: 'AAAAA-AAAAA' } }),
  'com.atproto.identity.submitPlcOperation': () => ({ input: { operation: {} } }),
  'com.atproto.identity.updateHandle': ({ handle }) => ({ input: { handle } }),
  'com.atproto.repo.applyWrites': ({ did }) => ({
    input: { repo: did, writes: [{ $type: 'com.atproto.repo.applyWrites#create', collection, value: post }] },
  }),
  'com.atproto.repo.createRecord': ({ did }) => ({ input: { repo: did, collection, record: post } }),
  'com.atproto.repo.deleteRecord': ({ did, rkey }) => ({ input: { repo: did, collection, rkey } }),
  'com.atproto.repo.describeRepo': ({ did }) => ({ params: { repo: did } }),
  'com.atproto.repo.getRecord': ({ did, rkey }) => ({ params: { repo: did, collection, rkey } }),
  // A body of a wrong type: who may not import is refused before it is looked at, and nobody waits for a worker.
  'com.atproto.repo.importRepo': () => ({ bytes: { type: 'text/plain', body: Buffer.from('no CAR') } }),
  'com.atproto.repo.listMissingBlobs': () => ({}),
  'com.atproto.repo.listRecords': ({ did }) => ({ params: { repo: did, collection } }),
  'com.atproto.repo.putRecord': ({ did, rkey }) => ({ input: { repo: did, collection, rkey, record: post } }),
  'com.atproto.repo.uploadBlob': () => ({ bytes: { type: 'image/png', body: Buffer.from('other bytes') } }),
  'com.atproto.server.activateAccount': () => ({}),
  'com.atproto.server.checkAccountStatus': () => ({}),
  'com.atproto.server.confirmEmail': ({ email }) => ({ input: { email, token: 'AAAAA-AAAAA' } }),
  'com.atproto.server.createAccount': ({ handle, email, password }) => ({
    input: { handle, email, password },
  }),
  'com.atproto.server.createAppPassword': () => ({ input: { name: 'theirs' } }),
  'com.atproto.server.createInviteCode': ({ did }) => ({ input: { useCount: 1, forAccount: did } }),
  'com.atproto.server.createInviteCodes': ({ did }) => ({
    input: { codeCount: 1, useCount: 1, forAccounts: [did] },
  }),
  'com.atproto.server.createSession': ({ did, password }) => ({ input: { identifier: did, password } }),
  'com.atproto.server.deactivateAccount': () => ({ input: {} }),
  'com.atproto.server.deleteAccount': ({ did, password }) => ({
    input: { did, password, token: 'AAAAA-AAAAA' },
  }),
  'com.atproto.server.deleteSession': () => ({}),
  'com.atproto.server.describeServer': () => ({}),
  'com.atproto.server.getServiceAuth': () => ({
    params: { aud: 'did:web:service.example', lxm: 'com.atproto.repo.uploadBlob' },
  }),
  'com.atproto.server.getSession': () => ({}),
  'com.atproto.server.listAppPasswords': () => ({}),
  'com.atproto.server.refreshSession': () => ({}),
  'com.atproto.server.requestAccountDelete': () => ({}),
  'com.atproto.server.requestEmailConfirmation': () => ({}),
  'com.atproto.server.requestEmailUpdate': () => ({}),
  'com.atproto.server.requestPasswordReset': ({ email }) => ({
    input: { email },
    mayAnswer:
      'everybody gets the same answer, and nothing is done for an address that the host does not know',
  }),
  'com.atproto.server.reserveSigningKey': ({ did }) => ({ input: { did } }),
  'com.atproto.server.resetPassword': () => ({ input: { token: 'AAAAA-AAAAA', password: 'taken over' } }),
  'com.atproto.server.revokeAppPassword': () => ({ input: { name: 'theirs' } }),
  'com.atproto.server.updateEmail': ({ email }) => ({ input: { email: `other-${email}` } }),
  'com.atproto.sync.getBlob': ({ did, blobCid }) => ({ params: { did, cid: blobCid } }),
  'com.atproto.sync.getBlocks': ({ did, commitCid, recordCid }) => ({
    params: { did, cids: [commitCid, recordCid] },
  }),
  'com.atproto.sync.getCheckout': ({ did }) => ({ params: { did } }),
  'com.atproto.sync.getHead': ({ did }) => ({ params: { did } }),
  'com.atproto.sync.getLatestCommit': ({ did }) => ({ params: { did } }),
  'com.atproto.sync.getRecord': ({ did, rkey }) => ({ params: { did, collection, rkey } }),
  'com.atproto.sync.getRepo': ({ did }) => ({ params: { did } }),
  'com.atproto.sync.getRepoStatus': ({ did }) => ({ params: { did } }),
  'com.atproto.sync.listBlobs': ({ did }) => ({ params: { did } }),
  'com.atproto.sync.listRepos': () => ({}),
  'com.atproto.temp.checkSignupQueue': () => ({}),
}
