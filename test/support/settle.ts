import { randomBytes } from 'node:crypto'

import { AtpAgent } from '@atproto/api'
import { must } from '@rookery/std'

import type { Peer, Resident } from './peer.ts'

// A picture of one pixel.
const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)
const pictureBytes = 100_000
const posts = 60

/** Signs somebody up who then posts, follows, sets a preference, shows three pictures and deletes something: a repo worth moving. */
export async function settle(peer: Peer, name: string): Promise<Resident> {
  const agent = new AtpAgent({ service: peer.url })
  const { data: description } = await agent.com.atproto.server.describeServer()
  const handle = `${name}${must(description.availableUserDomains[0])}`
  const [email, password] = [`${name}@mail.example`, `${name} has a long password`]
  await agent.createAccount({ handle, email, password })
  const did = agent.assertDid
  const createdAt = new Date().toISOString()
  const writes = Array.from({ length: posts }, (_, n) => ({
    $type: 'com.atproto.repo.applyWrites#create' as const,
    collection: 'app.bsky.feed.post',
    value: { $type: 'app.bsky.feed.post', text: `post ${n}`, createdAt },
  }))
  await agent.com.atproto.repo.applyWrites({ repo: did, writes })
  const { uri } = await agent.post({ text: 'soon gone', createdAt })
  await agent.deletePost(uri)
  await agent.follow(did)
  const [avatar, first, second] = [await upload(agent), await upload(agent), await upload(agent)]
  await agent.upsertProfile(() => ({ displayName: name, avatar }))
  const images = [first, second].map((image) => ({ image, alt: '' }))
  await agent.post({ text: 'pictures', createdAt, embed: { $type: 'app.bsky.embed.images', images } })
  const adult = { $type: 'app.bsky.actor.defs#adultContentPref' as const, enabled: true }
  await agent.app.bsky.actor.putPreferences({ preferences: [adult] })
  return { peer, agent, did, email, password }
}

async function upload(agent: AtpAgent) {
  const bytes = Buffer.concat([png, randomBytes(pictureBytes)])
  return (await agent.uploadBlob(bytes, { encoding: 'image/png' })).data.blob
}
