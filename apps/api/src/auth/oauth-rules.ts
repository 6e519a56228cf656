import type { ScopePermissions } from '@atproto/oauth-scopes'
import type { FastifyRequest } from 'fastify'

/** Throws a `ScopeMissingError` unless the permissions allow what is asked for. */
type Rule = (permissions: ScopePermissions, request: FastifyRequest) => void

const anyApp: Rule = () => undefined

function identity(attr: 'handle' | '*'): Rule {
  return (permissions) => permissions.assertIdentity({ attr })
}

function account(attr: 'email' | 'repo', action: 'read' | 'manage'): Rule {
  return (permissions) => permissions.assertAccount({ attr, action })
}

function serviceToken(permissions: ScopePermissions, request: FastifyRequest): void {
  const { aud, lxm } = request.query as { aud?: string; lxm?: string }
  permissions.assertRpc({ aud: aud ?? '', lxm: lxm ?? '*' })
}

function upload(permissions: ScopePermissions, request: FastifyRequest): void {
  const [mime = ''] = (request.headers['content-type'] ?? '').split(';', 1)
  permissions.assertBlob({ mime: mime.trim().toLowerCase() })
}

/**
 * The methods that an app may call for an account by OAuth, and what the account must have allowed it for each (SPEC
 * §11). What is not here is closed to apps, such as passwords and the account's end. Writes to the repo and what goes to
 * other services are decided where the body and the service are known.
 */
export const oauthRules: Readonly<Record<string, Rule>> = {
  // What is forwarded, and the methods that are forwarded in part.
  ':nsid': anyApp,
  'app.bsky.actor.getPreferences': anyApp,
  'app.bsky.actor.getProfile': anyApp,
  'app.bsky.actor.getProfiles': anyApp,
  'app.bsky.actor.putPreferences': anyApp,
  'app.bsky.feed.getActorLikes': anyApp,
  'app.bsky.feed.getAuthorFeed': anyApp,
  'app.bsky.feed.getFeed': anyApp,
  'app.bsky.feed.getPostThread': anyApp,
  'app.bsky.feed.getTimeline': anyApp,
  'app.bsky.notification.registerPush': anyApp,
  'app.bsky.notification.unregisterPush': anyApp,
  'com.atproto.moderation.createReport': anyApp,
  'com.atproto.identity.getRecommendedDidCredentials': anyApp,
  'com.atproto.identity.requestPlcOperationSignature': identity('*'),
  'com.atproto.identity.signPlcOperation': identity('*'),
  'com.atproto.identity.submitPlcOperation': identity('*'),
  'com.atproto.identity.updateHandle': identity('handle'),
  'com.atproto.repo.applyWrites': anyApp,
  'com.atproto.repo.createRecord': anyApp,
  'com.atproto.repo.deleteRecord': anyApp,
  'com.atproto.repo.importRepo': account('repo', 'manage'),
  'com.atproto.repo.listMissingBlobs': anyApp,
  'com.atproto.repo.putRecord': anyApp,
  'com.atproto.repo.uploadBlob': upload,
  'com.atproto.repo.getRecord': anyApp,
  'com.atproto.repo.listRecords': anyApp,
  'com.atproto.repo.describeRepo': anyApp,
  'com.atproto.server.checkAccountStatus': anyApp,
  'com.atproto.server.confirmEmail': account('email', 'manage'),
  'com.atproto.server.getServiceAuth': serviceToken,
  'com.atproto.server.getSession': anyApp,
  'com.atproto.server.requestEmailConfirmation': account('email', 'manage'),
  'com.atproto.sync.getBlob': anyApp,
  'com.atproto.sync.getBlocks': anyApp,
  'com.atproto.sync.getCheckout': anyApp,
  'com.atproto.sync.getHead': anyApp,
  'com.atproto.sync.getLatestCommit': anyApp,
  'com.atproto.sync.getRecord': anyApp,
  'com.atproto.sync.getRepo': anyApp,
  'com.atproto.sync.listBlobs': anyApp,
}
