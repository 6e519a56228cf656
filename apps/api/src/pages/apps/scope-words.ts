import {
  AccountPermission,
  BlobPermission,
  IdentityPermission,
  IncludeScope,
  RepoPermission,
  RpcPermission,
} from '@atproto/oauth-scopes'

import type { AppsTexts } from '../texts/apps.ts'

type ScopeTexts = AppsTexts['scopes']

const whole: Readonly<Record<string, 'atproto' | 'generic' | 'chat' | 'readEmail'>> = {
  atproto: 'atproto',
  'transition:generic': 'generic',
  'transition:chat.bsky': 'chat',
  'transition:email': 'readEmail',
}

const accountWords = {
  email: { read: 'readEmail', manage: 'manageEmail' },
  repo: { read: 'readRepo', manage: 'manageRepo' },
  status: { read: 'readStatus', manage: 'manageStatus' },
} as const

/** Returns what a scope lets an app do, as the end of “It may”. */
export function scopeInWords(scope: string, texts: ScopeTexts): string {
  const known = Object.hasOwn(whole, scope) ? whole[scope] : undefined
  return (
    (known === undefined ? undefined : texts[known]) ??
    repoWords(RepoPermission.fromString(scope), texts) ??
    rpcWords(RpcPermission.fromString(scope), texts) ??
    blobWords(BlobPermission.fromString(scope), texts) ??
    identityWords(IdentityPermission.fromString(scope), texts) ??
    accountAttributeWords(AccountPermission.fromString(scope), texts) ??
    includeWords(IncludeScope.fromString(scope), texts) ??
    texts.other(scope)
  )
}

function repoWords(permission: RepoPermission | null, texts: ScopeTexts): string | undefined {
  if (permission === null) return undefined
  const actions = permission.action.map((action) => texts.actions[action]).join(', ')
  const isAny = permission.collection.includes('*')
  return texts.records(actions, isAny ? texts.anyRecord : permission.collection.join(', '))
}

function rpcWords(permission: RpcPermission | null, texts: ScopeTexts): string | undefined {
  if (permission === null) return undefined
  const service = permission.aud === '*' ? texts.anyService : permission.aud
  if (permission.lxm.includes('*')) return texts.anyMethod(service)
  return texts.methods(service, permission.lxm.join(', '))
}

function blobWords(permission: BlobPermission | null, texts: ScopeTexts): string | undefined {
  if (permission === null) return undefined
  return permission.accept.includes('*/*') ? texts.anyBlob : texts.blobs(permission.accept.join(', '))
}

function identityWords(permission: IdentityPermission | null, texts: ScopeTexts): string | undefined {
  if (permission === null) return undefined
  return permission.attr === '*' ? texts.identity : texts.handle
}

function accountAttributeWords(permission: AccountPermission | null, texts: ScopeTexts): string | undefined {
  if (permission === null) return undefined
  return texts[accountWords[permission.attr][permission.action.includes('manage') ? 'manage' : 'read']]
}

function includeWords(include: IncludeScope | null, texts: ScopeTexts): string | undefined {
  return include === null ? undefined : texts.set(include.nsid)
}
