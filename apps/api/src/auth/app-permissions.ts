import { ScopePermissionsTransition } from '@atproto/oauth-scopes'

const chat = 'chat.bsky.'

/** What an account allowed an app (SPEC §11). */
export class AppPermissions extends ScopePermissionsTransition {
  /** Chat comes on top of the generic scope, and never by itself (SPEC SC-3). */
  override get hasTransitionChatBsky(): boolean {
    return this.hasTransitionGeneric && super.hasTransitionChatBsky
  }

  /** The authority of a method's name has no case: chat is chat, however it is written. */
  override allowsRpc({ aud, lxm }: { aud: string; lxm: string }): boolean {
    const isChat = lxm.toLowerCase().startsWith(chat)
    return super.allowsRpc({ aud, lxm: isChat ? chat + lxm.slice(chat.length) : lxm })
  }
}
