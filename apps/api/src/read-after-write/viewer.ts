import type { Account } from '@rookery/accounts'
import { invalidHandle } from '@rookery/syntax'

import { type Embedding, type ImageVariant, embedView } from './embeds.ts'
import type { BlobField, LocalPost, LocalRecords, ProfileRecord } from './local-records.ts'
import type { PostView, ProfileView } from './views.ts'

export type ViewerDeps = Embedding & {
  account: Account
  /** The caller's profile record as it is now, or undefined. */
  findProfile: () => Promise<ProfileRecord | undefined>
}

/** Makes views of what the caller wrote, as the service will once it knows of it. */
export class Viewer {
  readonly local: LocalRecords
  readonly did: string
  readonly #deps: ViewerDeps

  constructor(deps: ViewerDeps, local: LocalRecords) {
    this.#deps = deps
    this.local = local
    this.did = deps.account.did
  }

  /** Tells whether a DID or handle names the caller. */
  isCaller(actor: string): boolean {
    return actor === this.did || actor.toLowerCase() === this.#deps.account.handle
  }

  /** Returns the view of a profile, in the caller's case as its record says now. */
  updated<T extends ProfileView>(view: T, detail: 'basic' | 'detailed'): T {
    const { profile } = this.local
    if (profile === undefined || view.did !== this.did) return view
    const basic = { ...view, displayName: profile.displayName, avatar: this.#image('avatar', profile.avatar) }
    if (detail === 'basic') return basic
    return { ...basic, description: profile.description, banner: this.#image('banner', profile.banner) }
  }

  /** Returns the view of a post of the caller: nobody has liked it yet. */
  async post({ uri, cid, indexedAt, record }: LocalPost): Promise<PostView> {
    const { account, findProfile } = this.#deps
    const profile = this.local.profile ?? (await findProfile())
    return {
      uri,
      cid,
      author: {
        did: this.did,
        handle: account.handle ?? invalidHandle,
        displayName: profile?.displayName,
        avatar: this.#image('avatar', profile?.avatar),
      },
      record,
      embed: await embedView(this.#deps, record.embed),
      likeCount: 0,
      replyCount: 0,
      repostCount: 0,
      quoteCount: 0,
      indexedAt,
    }
  }

  #image(variant: ImageVariant, blob: BlobField | undefined): string | undefined {
    return this.#deps.imageUrl(variant, blob)
  }
}
