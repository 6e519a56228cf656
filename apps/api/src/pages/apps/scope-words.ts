import {
  AccountPermission,
  BlobPermission,
  IdentityPermission,
  IncludeScope,
  RepoPermission,
  RpcPermission,
} from '@atproto/oauth-scopes'

import { appsTexts } from '../texts/apps.ts'

const texts = appsTexts.scopes

const whole: Readonly<Record<string, string>> = {
  atproto: texts.atproto,
  'transition:generic': texts.generic,
  'transition:chat.bsky': texts.chat,
  'transition:email': texts.readEmail,
}

const accountWords = {
  email: { read: texts.readEmail, manage: texts.manageEmail },
  repo: { read: texts.readRepo, manage: texts.manageRepo },
  status: { read: texts.readStatus, manage: texts.manageStatus },
} as const

/** Returns what a scope lets an app do, as the end of “It may”. */
export function scopeInWords(scope: string): string {
  return (
    (Object.hasOwn(whole, scope) ? whole[scope] : undefined) ??
    repoWords(RepoPermission.fromString(scope)) ??
    rpcWords(RpcPermission.fromString(scope)) ??
    blobWords(BlobPermission.fromString(scope)) ??
    identityWords(IdentityPermission.fromString(scope)) ??
    accountAttributeWords(AccountPermission.fromString(scope)) ??
    includeWords(IncludeScope.fromString(scope)) ??
    `${texts.other} ${scope}`
  )
}

function repoWords(permission: RepoPermission | null): string | undefined {
  if (permission === null) return undefined
  const actions = permission.action.map((action) => texts.actions[action]).join(', ')
  const isAny = permission.collection.includes('*')
  return `${actions} ${isAny ? texts.anyRecord : permission.collection.join(', ')}`
}

function rpcWords(permission: RpcPermission | null): string | undefined {
  if (permission === null) return undefined
  const service = permission.aud === '*' ? texts.anyService : permission.aud
  if (permission.lxm.includes('*')) return `${texts.anyMethod} ${service}`
  return `${texts.methods} ${service}: ${permission.lxm.join(', ')}`
}

function blobWords(permission: BlobPermission | null): string | undefined {
  if (permission === null) return undefined
  return permission.accept.includes('*/*') ? texts.anyBlob : `${texts.blobs} ${permission.accept.join(', ')}`
}

function identityWords(permission: IdentityPermission | null): string | undefined {
  if (permission === null) return undefined
  return permission.attr === '*' ? texts.identity : texts.handle
}

function accountAttributeWords(permission: AccountPermission | null): string | undefined {
  if (permission === null) return undefined
  return accountWords[permission.attr][permission.action.includes('manage') ? 'manage' : 'read']
}

function includeWords(include: IncludeScope | null): string | undefined {
  return include === null ? undefined : `${texts.set} ${include.nsid}`
}
