import { tryParseAtUri } from '@rookery/syntax'

import type { BlobField, PostRecord } from './local-records.ts'
import type { PostView } from './views.ts'

/** Variants of images that views link to. */
export type ImageVariant = 'avatar' | 'banner' | 'feed_thumbnail' | 'feed_fullsize'

/** What views of embeds take. */
export type Embedding = {
  /** Returns where an image is shown from; undefined without one. */
  imageUrl: (variant: ImageVariant, blob: BlobField | undefined) => string | undefined
  /** Asks the service in the caller's name. */
  query: (nsid: string, params: Record<string, string>) => Promise<Record<string, unknown>>
}

type Images = { images: { image: BlobField; alt: string; aspectRatio?: unknown }[] }
type External = { external: { uri: string; title: string; description: string; thumb?: BlobField } }
type RecordEmbed = { record: { uri: string } }
type RecordWithMedia = { record: RecordEmbed; media: NonNullable<PostRecord['embed']> }

const name = (kind: string): string => `app.bsky.embed.${kind}`

/** Returns the view of what a post embeds, or undefined for nothing and for kinds that only the service can show. */
export async function embedView(deps: Embedding, embed: PostRecord['embed']): Promise<object | undefined> {
  if (embed === undefined) return undefined
  if (embed.$type === name('record')) return recordView(deps, embed as unknown as RecordEmbed)
  if (embed.$type !== name('recordWithMedia')) return mediaView(deps, embed)
  const both = embed as unknown as RecordWithMedia
  const media = mediaView(deps, both.media)
  if (media === undefined) return undefined
  return { $type: `${name('recordWithMedia')}#view`, media, record: await recordView(deps, both.record) }
}

function mediaView(deps: Embedding, embed: NonNullable<PostRecord['embed']>): object | undefined {
  if (embed.$type === name('images')) return imagesView(deps, embed as unknown as Images)
  if (embed.$type === name('external')) return externalView(deps, embed as unknown as External)
  return undefined
}

function imagesView({ imageUrl }: Embedding, { images }: Images): object {
  return {
    $type: `${name('images')}#view`,
    images: images.map(({ image, alt, aspectRatio }) => ({
      thumb: imageUrl('feed_thumbnail', image),
      fullsize: imageUrl('feed_fullsize', image),
      alt,
      aspectRatio,
    })),
  }
}

function externalView({ imageUrl }: Embedding, { external }: External): object {
  const { uri, title, description, thumb } = external
  return {
    $type: `${name('external')}#view`,
    external: { uri, title, description, thumb: imageUrl('feed_thumbnail', thumb) },
  }
}

async function recordView(deps: Embedding, { record: { uri } }: RecordEmbed): Promise<object> {
  const missing = { $type: `${name('record')}#viewNotFound`, uri, notFound: true }
  return { $type: `${name('record')}#view`, record: (await embeddedRecord(deps, uri)) ?? missing }
}

async function embeddedRecord({ query }: Embedding, uri: string): Promise<object | undefined> {
  const collection = tryParseAtUri(uri)?.collection
  if (collection === 'app.bsky.feed.post') {
    const { posts } = (await query('app.bsky.feed.getPosts', { uris: uri })) as { posts: PostView[] }
    return posts[0] && quoted(posts[0])
  }
  if (collection === 'app.bsky.feed.generator') {
    const { view } = await query('app.bsky.feed.getFeedGenerator', { feed: uri })
    return { $type: 'app.bsky.feed.defs#generatorView', ...(view as object) }
  }
  if (collection === 'app.bsky.graph.list') {
    const { list } = await query('app.bsky.graph.getList', { list: uri })
    return { $type: 'app.bsky.graph.defs#listView', ...(list as object) }
  }
  return undefined
}

function quoted({ uri, author, record, indexedAt, cid, labels, embed }: PostView): object {
  const embeds = embed === undefined ? undefined : [embed]
  return { $type: `${name('record')}#viewRecord`, uri, cid, author, value: record, labels, embeds, indexedAt }
}
