import type { Access } from './access-cases.ts'

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

/** Who may call a method, and how to aim it at the victim. */
export type Attempt = {
  /** The row of `accessOf` that says what each kind of caller is answered. */
  access: Access
  /** The method that is called, where the route is one of many. */
  nsid?: string
  params?: Record<string, string | string[]>
  input?: unknown
  bytes?: { type: string; body: Buffer }
  /** Why an answer may speak of the victim after all: it is public on the network, or it is of the caller only. */
  mayAnswer?: string
}

const collection = 'app.bsky.feed.post'
const pushOf = (serviceDid: string): object => ({ serviceDid, token: 't', platform: 'web', appId: 'a' })
const post = { $type: collection, text: 'not yours', createdAt: '2026-01-01T00:00:00.000Z' }

/**
 * One entry for every XRPC method that is served: who may call it (access.test.ts), and how it is tried through another
 * host (isolation.test.ts). Both tests fail for a method without one.
 */
export const attempts: Record<string, (victim: Victim) => Attempt> = {
  // Whatever is not served here: forwarded, for accounts of the host that is asked.
  ':nsid': ({ did }) => ({
    access: 'forwarded',
    nsid: 'app.bsky.graph.getFollows',
    params: { actor: did },
  }),
  'app.bsky.actor.getPreferences': () => ({ access: 'sessionOrTakendown' }),
  'app.bsky.actor.getProfile': ({ did }) => ({ access: 'forwarded', params: { actor: did } }),
  'app.bsky.actor.getProfiles': ({ did }) => ({ access: 'forwarded', params: { actors: [did] } }),
  'app.bsky.actor.putPreferences': () => ({ access: 'session', input: { preferences: [] } }),
  'app.bsky.feed.getActorLikes': ({ did }) => ({ access: 'forwarded', params: { actor: did } }),
  'app.bsky.feed.getAuthorFeed': ({ did }) => ({ access: 'forwarded', params: { actor: did } }),
  'app.bsky.feed.getFeed': ({ did }) => ({
    access: 'forwarded',
    params: { feed: `at://${did}/app.bsky.feed.generator/f` },
  }),
  'app.bsky.feed.getPostThread': ({ did, rkey }) => ({
    access: 'forwarded',
    params: { uri: `at://${did}/app.bsky.feed.post/${rkey}` },
  }),
  'app.bsky.feed.getTimeline': () => ({ access: 'forwarded' }),
  'app.bsky.notification.registerPush': ({ did }) => ({ access: 'session', input: pushOf(did) }),
  'app.bsky.notification.unregisterPush': ({ did }) => ({ access: 'session', input: pushOf(did) }),
  'com.atproto.admin.deleteAccount': ({ did }) => ({ access: 'operator', input: { did } }),
  'com.atproto.admin.disableAccountInvites': ({ did }) => ({
    access: 'operatorOrModeration',
    input: { account: did },
  }),
  // Codes of another host are left alone, like those that there are not.
  'com.atproto.admin.disableInviteCodes': ({ did }) => ({
    access: 'operatorOrModeration',
    input: { accounts: [did] },
  }),
  'com.atproto.admin.enableAccountInvites': ({ did }) => ({
    access: 'operatorOrModeration',
    input: { account: did },
  }),
  'com.atproto.admin.getAccountInfo': ({ did }) => ({ access: 'operatorOrModeration', params: { did } }),
  'com.atproto.admin.getAccountInfos': ({ did }) => ({
    access: 'operatorOrModeration',
    params: { dids: [did] },
  }),
  'com.atproto.admin.getInviteCodes': () => ({ access: 'operatorOrModeration' }),
  'com.atproto.admin.getSubjectStatus': ({ did }) => ({ access: 'operatorOrModeration', params: { did } }),
  'com.atproto.admin.searchAccounts': ({ email }) => ({ access: 'operatorOrModeration', params: { email } }),
  'com.atproto.admin.sendEmail': ({ did }) => ({
    access: 'operatorOrModeration',
    input: { recipientDid: did, content: 'Hello', senderDid: 'did:web:mod.test' },
  }),
  'com.atproto.admin.updateAccountEmail': ({ did, email }) => ({
    access: 'operator',
    input: { account: did, email: `other-${email}` },
  }),
  'com.atproto.admin.updateAccountHandle': ({ did }) => ({
    access: 'operator',
    input: { did, handle: 'other.two.test' },
  }),
  'com.atproto.admin.updateAccountPassword': ({ did }) => ({
    access: 'operator',
    input: { did, password: 'taken over' },
  }),
  'com.atproto.admin.updateSubjectStatus': ({ did }) => ({
    access: 'operatorOrModeration',
    input: {
      subject: { $type: 'com.atproto.admin.defs#repoRef', did },
      takedown: { applied: true, ref: 'x' },
    },
  }),
  'com.atproto.identity.getRecommendedDidCredentials': () => ({ access: 'session' }),
  'com.atproto.identity.refreshIdentity': ({ did }) => ({
    access: 'anybody',
    input: { identifier: did },
    mayAnswer: 'identities are public',
  }),
  'com.atproto.identity.requestPlcOperationSignature': () => ({ access: 'fullSessionOrTakendown' }),
  'com.atproto.identity.resolveDid': ({ did }) => ({
    access: 'anybody',
    params: { did },
    mayAnswer: 'DID documents are public',
  }),
  'com.atproto.identity.resolveHandle': ({ handle }) => ({
    access: 'anybody',
    params: { handle },
    mayAnswer: 'handles are public',
  }),
  'com.atproto.identity.resolveIdentity': ({ did }) => ({
    access: 'anybody',
    params: { identifier: did },
    mayAnswer: 'identities are public',
  }),
  'com.atproto.identity.signPlcOperation': () => ({
    access: 'fullSessionOrTakendown',
    input: { token: 'AAAAA-AAAAA' },
  }),
  'com.atproto.identity.submitPlcOperation': () => ({ access: 'fullSession', input: { operation: {} } }),
  'com.atproto.identity.updateHandle': ({ handle }) => ({ access: 'fullSession', input: { handle } }),
  'com.atproto.lexicon.resolveLexicon': () => ({ access: 'anybody', params: { nsid: 'com.example.note' } }),
  'com.atproto.moderation.createReport': ({ did }) => ({
    access: 'sessionOrTakendown',
    input: {
      reasonType: 'com.atproto.moderation.defs#reasonSpam',
      subject: { $type: 'com.atproto.admin.defs#repoRef', did },
    },
  }),
  'com.atproto.repo.applyWrites': ({ did }) => ({
    access: 'writer',
    input: { repo: did, writes: [{ $type: 'com.atproto.repo.applyWrites#create', collection, value: post }] },
  }),
  'com.atproto.repo.createRecord': ({ did }) => ({
    access: 'writer',
    input: { repo: did, collection, record: post },
  }),
  'com.atproto.repo.deleteRecord': ({ did, rkey }) => ({
    access: 'writer',
    input: { repo: did, collection, rkey },
  }),
  'com.atproto.repo.describeRepo': ({ did }) => ({ access: 'anybody', params: { repo: did } }),
  'com.atproto.repo.getRecord': ({ did, rkey }) => ({
    access: 'anybody',
    params: { repo: did, collection, rkey },
  }),
  // A body of a wrong type: who may not import is refused before it is looked at, and nobody waits for a worker.
  'com.atproto.repo.importRepo': () => ({
    access: 'fullSession',
    bytes: { type: 'text/plain', body: Buffer.from('no CAR') },
  }),
  'com.atproto.repo.listMissingBlobs': () => ({ access: 'session' }),
  'com.atproto.repo.listRecords': ({ did }) => ({ access: 'anybody', params: { repo: did, collection } }),
  'com.atproto.repo.putRecord': ({ did, rkey }) => ({
    access: 'writer',
    input: { repo: did, collection, rkey, record: post },
  }),
  'com.atproto.repo.uploadBlob': () => ({
    access: 'sessionOrService',
    bytes: { type: 'image/png', body: Buffer.from('other bytes') },
  }),
  'com.atproto.server.activateAccount': () => ({ access: 'fullSession' }),
  'com.atproto.server.checkAccountStatus': () => ({ access: 'session' }),
  'com.atproto.server.confirmEmail': ({ email }) => ({
    access: 'fullSession',
    input: { email, token: 'AAAAA-AAAAA' },
  }),
  'com.atproto.server.createAccount': ({ handle, email, password }) => ({
    access: 'anybodyOrService',
    input: { handle, email, password },
  }),
  'com.atproto.server.createAppPassword': () => ({ access: 'fullSession', input: { name: 'theirs' } }),
  'com.atproto.server.createInviteCode': ({ did }) => ({
    access: 'operator',
    input: { useCount: 1, forAccount: did },
  }),
  'com.atproto.server.createInviteCodes': ({ did }) => ({
    access: 'operator',
    input: { codeCount: 1, useCount: 1, forAccounts: [did] },
  }),
  'com.atproto.server.createSession': ({ did, password }) => ({
    access: 'anybody',
    input: { identifier: did, password },
  }),
  'com.atproto.server.deactivateAccount': () => ({ access: 'fullSessionOrTakendown', input: {} }),
  'com.atproto.server.deleteAccount': ({ did, password }) => ({
    access: 'anybody',
    input: { did, password, token: 'AAAAA-AAAAA' },
  }),
  'com.atproto.server.deleteSession': () => ({ access: 'refreshToken' }),
  'com.atproto.server.describeServer': () => ({ access: 'anybody' }),
  'com.atproto.server.getAccountInviteCodes': () => ({ access: 'fullSession' }),
  'com.atproto.server.getServiceAuth': () => ({
    access: 'serviceToken',
    params: { aud: 'did:web:service.example', lxm: 'com.atproto.repo.uploadBlob' },
  }),
  'com.atproto.server.getSession': () => ({ access: 'sessionOrTakendown' }),
  'com.atproto.server.listAppPasswords': () => ({ access: 'fullSession' }),
  'com.atproto.server.refreshSession': () => ({ access: 'refreshToken' }),
  'com.atproto.server.requestAccountDelete': () => ({ access: 'fullSession' }),
  'com.atproto.server.requestEmailConfirmation': () => ({ access: 'fullSession' }),
  'com.atproto.server.requestEmailUpdate': () => ({ access: 'fullSession' }),
  'com.atproto.server.requestPasswordReset': ({ email }) => ({
    access: 'anybody',
    input: { email },
    mayAnswer:
      'everybody gets the same answer, and nothing is done for an address that the host does not know',
  }),
  'com.atproto.server.reserveSigningKey': ({ did }) => ({ access: 'anybody', input: { did } }),
  'com.atproto.server.resetPassword': () => ({
    access: 'anybody',
    input: { token: 'AAAAA-AAAAA', password: 'taken over' },
  }),
  'com.atproto.server.revokeAppPassword': () => ({ access: 'fullSession', input: { name: 'theirs' } }),
  'com.atproto.server.updateEmail': ({ email }) => ({
    access: 'fullSession',
    input: { email: `other-${email}` },
  }),
  'com.atproto.sync.getBlob': ({ did, blobCid }) => ({
    access: 'anybodyOrOwner',
    params: { did, cid: blobCid },
  }),
  'com.atproto.sync.getBlocks': ({ did, commitCid, recordCid }) => ({
    access: 'anybodyOrOwner',
    params: { did, cids: [commitCid, recordCid] },
  }),
  'com.atproto.sync.getCheckout': ({ did }) => ({ access: 'anybodyOrOwner', params: { did } }),
  'com.atproto.sync.getHead': ({ did }) => ({ access: 'anybodyOrOwner', params: { did } }),
  'com.atproto.sync.getLatestCommit': ({ did }) => ({ access: 'anybodyOrOwner', params: { did } }),
  'com.atproto.sync.getRecord': ({ did, rkey }) => ({
    access: 'anybodyOrOwner',
    params: { did, collection, rkey },
  }),
  'com.atproto.sync.getRepo': ({ did }) => ({ access: 'anybodyOrOwner', params: { did } }),
  'com.atproto.sync.getRepoStatus': ({ did }) => ({ access: 'anybody', params: { did } }),
  'com.atproto.sync.listBlobs': ({ did }) => ({ access: 'anybodyOrOwner', params: { did } }),
  'com.atproto.sync.listRepos': () => ({ access: 'anybody' }),
  'com.atproto.temp.checkSignupQueue': () => ({ access: 'session' }),
  'net.rookery.admin.getBlobUsage': ({ did }) => ({ access: 'operator', params: { account: did } }),
  'net.rookery.admin.listImports': ({ did }) => ({ access: 'operator', params: { account: did } }),
  'net.rookery.admin.purgeBlob': ({ did, blobCid }) => ({
    access: 'operator',
    input: { account: did, cid: blobCid },
  }),
  'net.rookery.admin.setBlobQuota': ({ did }) => ({
    access: 'operator',
    input: { account: did, bytesMax: 1 },
  }),
  'net.rookery.mail.listDeliveries': ({ email }) => ({ access: 'operator', params: { recipient: email } }),
  'net.rookery.mail.recordBounce': ({ email }) => ({
    access: 'operator',
    input: { recipient: email, kind: 'hard' },
  }),
  'net.rookery.admin.listAuditEntries': ({ did }) => ({ access: 'operator', params: { did } }),
  'net.rookery.admin.suspendAccount': ({ did }) => ({ access: 'operator', input: { did } }),
  'net.rookery.admin.unsuspendAccount': ({ did }) => ({ access: 'operator', input: { did } }),
}

/** Routes that are no XRPC method, and what each serves: what belongs to the host or the handle that was asked. */
export const otherRoutes: Readonly<Record<string, string>> = {
  '/': 'a page for people who come by',
  '/robots.txt': 'leave for everybody',
  '/tls-check': 'whether a name is served here, for the proxy that gets certificates',
  '/xrpc/_health': 'the version, and whether the database answers',
  '/.well-known/atproto-did': 'the DID of the handle that was asked',
  '/.well-known/did.json': 'the DID document of the host',
  '/.well-known/oauth-protected-resource': 'where the authorization server is',
  '/.well-known/oauth-authorization-server': 'what the authorization server can do',
  '/.well-known/change-password': 'where the password is changed',
  '/oauth/authorize': 'the pages to sign up, sign in and consent',
  '/oauth/authorize/redirect': 'the way back to the app, from these pages alone',
  '/oauth/jwks': 'the public keys of the authorization server, of which there are none',
  '/oauth/par': 'requests to sign in, from whoever proves a key',
  '/oauth/revoke': 'the end of a session, for who holds its key',
  '/oauth/token': 'tokens, for a code or a refresh token of the host',
  '/account': 'the account pages',
  '/account/*': 'the account pages',
  '/sign-in': 'our own sign-in page',
  '/sign-in/code': 'its form for a second factor',
  '/sign-in/continue': 'its form to choose who is signed in: looked up by host and browser',
  '/sign-in/passkey': 'its form for a passkey',
  '/security': 'the page about second factors and app passwords, of who is signed in',
  '/security/authenticator': 'its page to set an authenticator app up',
  '/security/*': 'its forms',
  '/settings': 'the page for e-mail, password and handle, of who is signed in',
  '/settings/*': 'its forms',
  '/sessions': 'the page of browsers and sessions, of who is signed in',
  '/sessions/*': 'its forms',
  '/apps': 'the page of apps and what they may do, of who is signed in',
  '/apps/*': 'its forms',
  '/export': 'the page to ask for an archive of the account, of who is signed in',
  '/export/*': 'its forms',
  '/export/archive': 'the archive, to its owner alone',
  '/migrate': 'the page on which somebody moves an account here',
  '/migrate/find': 'its form for the account',
  '/migrate/begin': 'its form for the passwords',
  '/migrate/here': 'the page of an account on its way, of who is signed in',
  '/migrate/here/*': 'its forms',
  '/leave': 'the page to deactivate or delete the account, of who is signed in',
  '/leave/*': 'its forms',
  '/@atproto/oauth-provider/*': 'scripts and the interface of these pages',
}
