/** A PDS as its accounts see it, with the mail that it sends to them. */
import type { AtpAgent } from '@atproto/api'
import { verifyRepoCar } from '@atproto/repo'

import { until } from './until.ts'

/** A PDS that accounts move from or to. */
export type Peer = { url: string; mailUrl: string; plcUrl: string }

/** An account at home on a PDS, signed in. */
export type Resident = { peer: Peer; agent: AtpAgent; did: string; email: string; password: string }

/** What of a repo must not change when it moves. */
export type RepoContent = { rev: string; cids: Map<string, string>; blobs: Map<string, Buffer> }

/** Returns the token in the last mail to the address that came after the first `after` mails. */
export async function mailedToken(peer: Peer, address: string, after: number): Promise<string> {
  return until(
    async () =>
      (await mailsTo(peer, address))
        .slice(after)
        .at(-1)
        ?.text.match(/\b[A-Z2-7]{5}-[A-Z2-7]{5}\b/)?.[0],
    { what: `a token mailed to ${address}` },
  )
}

/** Returns the mails that were sent to the address. */
export async function mailsTo(peer: Peer, address: string): Promise<{ text: string }[]> {
  const mails = (await (await fetch(peer.mailUrl)).json()) as { to: string[]; text: string }[]
  return mails.filter(({ to }) => to.includes(address))
}

/** Returns the did:key that the directory names as the DID's signing key. */
export async function signingKeyOf({ plcUrl }: Pick<Peer, 'plcUrl'>, did: string): Promise<string> {
  const data = (await (await fetch(`${plcUrl}/${did}/data`)).json()) as {
    verificationMethods: { atproto: string }
  }
  return data.verificationMethods.atproto
}

/** Downloads repo and blobs as the account itself may, whatever its status. */
export async function contentOf({ agent, did }: Pick<Resident, 'agent' | 'did'>): Promise<RepoContent> {
  const { data: car } = await agent.com.atproto.sync.getRepo({ did })
  const { creates, commit } = await verifyRepoCar(car, did)
  const cids = new Map(creates.map(({ collection, rkey, cid }) => [`${collection}/${rkey}`, cid.toString()]))
  const blobs = new Map<string, Buffer>()
  for (const cid of await listBlobs(agent, did)) {
    const { data } = await agent.com.atproto.sync.getBlob({ did, cid })
    blobs.set(cid, Buffer.from(data))
  }
  return { rev: commit.rev, cids, blobs }
}

async function listBlobs(agent: AtpAgent, did: string): Promise<string[]> {
  const cids: string[] = []
  let cursor: string | undefined
  do {
    const { data } = await agent.com.atproto.sync.listBlobs({ did, limit: 2, ...(cursor && { cursor }) })
    cids.push(...data.cids)
    cursor = data.cursor
  } while (cursor !== undefined)
  return cids
}
