/** How a call of an app ends: `ok` if it gets past the checks of what it may, otherwise the name of the error. */
type ScopeEnding = 'ok' | 'ScopeMissingError' | 'Forbidden' | 'AuthenticationRequired' | 'InvalidToken'

/** What apps get out of a method by what they were allowed; every list is of scopes besides `atproto`. */
export type ScopeCase = {
  /** With `atproto` alone. */
  alone: ScopeEnding
  /** With `transition:generic`. */
  generic: ScopeEnding
  /** With `transition:email`. */
  email: ScopeEnding
  /** With `transition:generic` and `transition:chat.bsky`. */
  chat: ScopeEnding
  /** Each is enough. */
  opens: string[]
  /** None is enough, though nearly. */
  nearly: string[]
  /** The route's method, its parameters, and its body, where they are not those of `attempts`. */
  call?: {
    nsid?: string
    params?: Record<string, string>
    input?: (did: string) => object
    bytes?: { type: string; body: Buffer }
  }
}

const always = (ending: ScopeEnding): ScopeCase => ({
  alone: ending,
  generic: ending,
  email: ending,
  chat: ending,
  opens: [],
  nearly: [],
})

/** Every app may call it. */
const free = always('ok')
/** No app may call it, whatever it was allowed: the account itself does. */
const closed: ScopeCase = {
  ...always('Forbidden'),
  nearly: ['account:repo?action=manage', 'account:email?action=manage', 'identity:*', 'repo:*', 'blob:*/*'],
}
/** Who calls has other credentials than an account's session. */
const notForApps = always('AuthenticationRequired')

/** Needs one of the scopes; of the transition's, none is enough. */
const granular = (opens: string[], nearly: string[]): ScopeCase => ({
  ...always('ScopeMissingError'),
  opens,
  nearly,
})

/** Needs one of the scopes, or the one that stands for all that an app password may do. */
const generic = (opens: string[], nearly: string[]): ScopeCase => ({
  ...granular(opens, nearly),
  generic: 'ok',
  chat: 'ok',
})

/** The AppView of the tenant, as it is in scopes. */
export const appView = 'did:web:appview.test'
const aud = `${appView}%23bsky_appview`

/** Is answered by, or for, the AppView: needs the permission to call the method there. */
const proxied = (nsid: string, call?: ScopeCase['call']): ScopeCase => ({
  ...generic(
    [
      `rpc:${nsid}?aud=${aud}`,
      `rpc:${nsid}?aud=*`,
      `rpc:*?aud=${aud}`,
      `rpc?lxm=com.example.x&lxm=${nsid}&aud=*`,
    ],
    [
      `rpc:${nsid}?aud=${appView}%23bsky_chat`,
      `rpc:${nsid}?aud=did:web:other.test%23bsky_appview`,
      `rpc:${nsid}?aud=${appView}`,
      `rpc:${nsid}`,
      `rpc:${nsid}Skeleton?aud=*`,
      `rpc:com.example.getThing?aud=${aud}`,
      'rpc:*?aud=*',
      'transition:chat.bsky',
    ],
  ),
  ...(call === undefined ? {} : { call }),
})

const collection = 'app.bsky.feed.post'
const other = 'app.bsky.feed.like'
const write = (action: string): ScopeCase =>
  generic(
    [`repo:${collection}`, 'repo:*', `repo:*?action=${action}`, `repo:${collection}?action=${action}`],
    [
      `repo:${other}`,
      `repo:app.bsky.feed.*`,
      `repo:${collection}?action=${action === 'create' ? 'update' : 'create'}`,
      `repo:${collection}?action=none`,
      `repo:${collection}Gate`,
      `repo?collection=${other}`,
    ],
  )

const anyEmail = ['account:email', 'account:email?action=read', 'account:repo?action=manage', 'identity:*']
const identityAll = granular(
  ['identity:*', 'identity:*?'],
  ['identity:handle', 'identity', 'account:repo?action=manage'],
)

/**
 * One row for each route, by its NSID (`#` and more for further calls of it): what each scope opens, from SPEC §11. The
 * test fails for a method without one.
 */
export const scopeCases: Record<string, ScopeCase> = {
  ':nsid': proxied('app.bsky.graph.getFollows'),
  ':nsid#chat': {
    ...granular(
      [`rpc:chat.bsky.convo.listConvos?aud=${aud}`],
      ['transition:chat.bsky', `rpc:app.bsky.graph.getFollows?aud=${aud}`],
    ),
    chat: 'ok',
    call: { nsid: 'chat.bsky.convo.listConvos' },
  },
  ':nsid#chat in another case': {
    ...granular([`rpc:chat.bsky.convo.listConvos?aud=*`], ['transition:chat.bsky']),
    chat: 'ok',
    call: { nsid: 'Chat.bsky.convo.listConvos' },
  },
  'app.bsky.actor.getPreferences': proxied('app.bsky.actor.getPreferences'),
  'app.bsky.actor.getProfile': proxied('app.bsky.actor.getProfile'),
  'app.bsky.actor.getProfiles': proxied('app.bsky.actor.getProfiles'),
  'app.bsky.actor.putPreferences': proxied('app.bsky.actor.putPreferences', {
    input: () => ({ preferences: [] }),
  }),
  'app.bsky.feed.getActorLikes': proxied('app.bsky.feed.getActorLikes'),
  'app.bsky.feed.getAuthorFeed': proxied('app.bsky.feed.getAuthorFeed'),
  // The AppView asks the feed's generator in the account's name.
  'app.bsky.feed.getFeed': generic(
    [`rpc?lxm=app.bsky.feed.getFeed&lxm=app.bsky.feed.getFeedSkeleton&aud=${aud}`, `rpc:*?aud=${aud}`],
    [`rpc:app.bsky.feed.getFeed?aud=${aud}`, `rpc:app.bsky.feed.getFeedSkeleton?aud=${aud}`],
  ),
  'app.bsky.feed.getPostThread': proxied('app.bsky.feed.getPostThread'),
  'app.bsky.feed.getTimeline': proxied('app.bsky.feed.getTimeline'),
  'app.bsky.notification.registerPush': push('app.bsky.notification.registerPush'),
  'app.bsky.notification.unregisterPush': push('app.bsky.notification.unregisterPush'),
  'com.atproto.admin.deleteAccount': notForApps,
  'com.atproto.admin.disableAccountInvites': notForApps,
  'com.atproto.admin.disableInviteCodes': notForApps,
  'com.atproto.admin.enableAccountInvites': notForApps,
  'com.atproto.admin.getAccountInfo': notForApps,
  'com.atproto.admin.getAccountInfos': notForApps,
  'com.atproto.admin.getInviteCodes': notForApps,
  'com.atproto.admin.getSubjectStatus': notForApps,
  'com.atproto.admin.searchAccounts': notForApps,
  'com.atproto.admin.sendEmail': notForApps,
  'com.atproto.admin.updateAccountEmail': notForApps,
  'com.atproto.admin.updateAccountHandle': notForApps,
  'com.atproto.admin.updateAccountPassword': notForApps,
  'com.atproto.admin.updateSubjectStatus': notForApps,
  'com.atproto.identity.getRecommendedDidCredentials': free,
  'com.atproto.identity.refreshIdentity': free,
  'com.atproto.identity.requestPlcOperationSignature': identityAll,
  'com.atproto.identity.resolveDid': free,
  'com.atproto.identity.resolveHandle': free,
  'com.atproto.identity.resolveIdentity': free,
  'com.atproto.identity.signPlcOperation': identityAll,
  'com.atproto.identity.submitPlcOperation': identityAll,
  'com.atproto.identity.updateHandle': granular(
    ['identity:handle', 'identity:*'],
    ['identity', 'identity:did'],
  ),
  'com.atproto.lexicon.resolveLexicon': free,
  'com.atproto.moderation.createReport': {
    ...generic(
      ['rpc:com.atproto.moderation.createReport?aud=did:web:mod.test%23atproto_labeler'],
      [`rpc:com.atproto.moderation.createReport?aud=${aud}`, 'rpc:com.atproto.moderation.getReport?aud=*'],
    ),
  },
  'com.atproto.repo.applyWrites': write('create'),
  'com.atproto.repo.applyWrites#delete': {
    ...write('delete'),
    call: {
      input: (repo) => ({
        repo,
        writes: [{ $type: 'com.atproto.repo.applyWrites#delete', collection, rkey: 'none' }],
      }),
    },
  },
  'com.atproto.repo.createRecord': write('create'),
  'com.atproto.repo.deleteRecord': write('delete'),
  'com.atproto.repo.describeRepo': free,
  'com.atproto.repo.getRecord': free,
  'com.atproto.repo.importRepo': granular(
    ['account:repo?action=manage'],
    ['account:repo', 'account:repo?action=read', 'account:email?action=manage', 'repo:*'],
  ),
  'com.atproto.repo.listMissingBlobs': free,
  'com.atproto.repo.listRecords': free,
  'com.atproto.repo.putRecord': generic(
    [`repo:${collection}`, `repo:${collection}?action=create&action=update`],
    [`repo:${collection}?action=create`, `repo:${collection}?action=update`, `repo:${other}`],
  ),
  'com.atproto.repo.uploadBlob': {
    ...generic(
      ['blob:image/gif', 'blob:image/*', 'blob:*/*', 'blob?accept=video/*&accept=image/gif'],
      ['blob:image/png', 'blob:video/*', 'blob', 'repo:*'],
    ),
    call: { bytes: { type: 'image/gif', body: Buffer.from('GIF89a') } },
  },
  'com.atproto.repo.uploadBlob#of another type than it says': {
    ...generic(['blob:image/*'], ['blob:image/png', 'blob:image/gif']),
    call: { bytes: { type: 'image/png', body: Buffer.from('GIF89a') } },
  },
  'com.atproto.server.activateAccount': closed,
  'com.atproto.server.checkAccountStatus': free,
  'com.atproto.server.confirmEmail': granular(['account:email?action=manage'], anyEmail),
  'com.atproto.server.createAccount': notForApps,
  'com.atproto.server.createAppPassword': closed,
  'com.atproto.server.createInviteCode': notForApps,
  'com.atproto.server.createInviteCodes': notForApps,
  'com.atproto.server.createSession': free,
  'com.atproto.server.deactivateAccount': closed,
  'com.atproto.server.deleteAccount': free,
  'com.atproto.server.deleteSession': always('InvalidToken'),
  'com.atproto.server.describeServer': free,
  'com.atproto.server.getAccountInviteCodes': closed,
  'com.atproto.server.getServiceAuth': serviceAuth('app.bsky.feed.getTimeline', 'ok'),
  'com.atproto.server.getServiceAuth#chat': serviceAuth('chat.bsky.convo.listConvos', 'ScopeMissingError'),
  'com.atproto.server.getServiceAuth#of any method': {
    ...generic([`rpc:*?aud=${aud}`], [`rpc:app.bsky.feed.getTimeline?aud=${aud}`, 'rpc:*?aud=*']),
    call: { params: { aud: `${appView}#bsky_appview` } },
  },
  'com.atproto.server.getServiceAuth#for all of a DID': {
    ...generic(['rpc:app.bsky.feed.getTimeline?aud=*'], [`rpc:app.bsky.feed.getTimeline?aud=${aud}`]),
    call: { params: { aud: appView, lxm: 'app.bsky.feed.getTimeline' } },
  },
  'com.atproto.server.getSession': free,
  'com.atproto.server.listAppPasswords': closed,
  'com.atproto.server.refreshSession': always('InvalidToken'),
  'com.atproto.server.requestAccountDelete': closed,
  'com.atproto.server.requestEmailConfirmation': granular(['account:email?action=manage'], anyEmail),
  'com.atproto.server.requestEmailUpdate': closed,
  'com.atproto.server.requestPasswordReset': free,
  'com.atproto.server.reserveSigningKey': free,
  'com.atproto.server.resetPassword': free,
  'com.atproto.server.revokeAppPassword': closed,
  'com.atproto.server.updateEmail': closed,
  'com.atproto.sync.getBlob': free,
  'com.atproto.sync.getBlocks': free,
  'com.atproto.sync.getCheckout': free,
  'com.atproto.sync.getHead': free,
  'com.atproto.sync.getLatestCommit': free,
  'com.atproto.sync.getRecord': free,
  'com.atproto.sync.getRepo': free,
  'com.atproto.sync.getRepoStatus': free,
  'com.atproto.sync.listBlobs': free,
  'com.atproto.sync.listRepos': free,
  'com.atproto.temp.checkSignupQueue': closed,
  'net.rookery.admin.getBlobUsage': notForApps,
  'net.rookery.admin.listAuditEntries': notForApps,
  'net.rookery.admin.listImports': notForApps,
  'net.rookery.admin.purgeBlob': notForApps,
  'net.rookery.admin.setBlobQuota': notForApps,
  'net.rookery.admin.suspendAccount': notForApps,
  'net.rookery.admin.unsuspendAccount': notForApps,
  'net.rookery.mail.listDeliveries': notForApps,
  'net.rookery.mail.recordBounce': notForApps,
}

function push(nsid: string): ScopeCase {
  return {
    ...generic(
      [`rpc:${nsid}?aud=${appView}%23bsky_notif`],
      [`rpc:${nsid}?aud=${aud}`, `rpc:${nsid}?aud=did:web:other.test%23bsky_notif`],
    ),
    call: { input: () => ({ serviceDid: appView, token: 't', platform: 'web', appId: 'a' }) },
  }
}

function serviceAuth(lxm: string, ofGeneric: ScopeEnding): ScopeCase {
  return {
    ...generic(
      [`rpc:${lxm}?aud=${aud}`, `rpc:${lxm}?aud=*`, `rpc:*?aud=${aud}`],
      [`rpc:${lxm}?aud=${appView}%23bsky_chat`, `rpc:com.example.getThing?aud=${aud}`],
    ),
    generic: ofGeneric,
    call: { params: { aud: `${appView}#bsky_appview`, lxm } },
  }
}
