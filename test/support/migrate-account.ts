/**
 * Moves an account from one PDS to another as apps and goat do, with the official client alone, and checks after every
 * step what both sides say of it. Any PDS will do on either side.
 */
import { AtpAgent } from '@atproto/api'
import { expect } from 'vitest'

import { type Peer, type RepoContent, type Resident, contentOf, mailedToken, mailsTo } from './peer.ts'

/** Where an account goes, and what it is to be called there. */
export type Destination = {
  peer: Peer
  /** Handle of the new account there. Without one the account returns: it signs in to what the PDS still has of it. */
  handle?: string
}

/** Moves an account; it is active at its destination then, and deactivated where it came from. */
export async function migrateAccount(from: Resident, { peer, handle }: Destination): Promise<Resident> {
  const to: Resident = { ...from, peer, agent: new AtpAgent({ service: peer.url }) }
  if (handle === undefined) await signIn(to)
  else await createAccount(from, to, handle)
  const content = await contentOf(from)
  await importRepo(from, to, content)
  await copyBlobs(from, to, content)
  await copyPreferences(from, to)
  await changeIdentity(from, to)
  await switchOver(from, to, content)
  return to
}

async function signIn(to: Resident): Promise<void> {
  await to.agent.login({ identifier: to.did, password: to.password })
  expect(await statusOf(to)).toMatchObject({ activated: false, validDid: false })
}

async function createAccount(from: Resident, to: Resident, handle: string): Promise<void> {
  const { did, email, password } = from
  const { data: description } = await to.agent.com.atproto.server.describeServer()
  const { data: auth } = await from.agent.com.atproto.server.getServiceAuth({
    aud: description.did,
    lxm: 'com.atproto.server.createAccount',
  })
  const { data: created } = await to.agent.com.atproto.server.createAccount(
    { did, handle, email, password },
    { headers: { authorization: `Bearer ${auth.token}` }, encoding: 'application/json' },
  )
  expect(created).toMatchObject({ did, handle })
  await to.agent.login({ identifier: did, password })
  expect(to.agent.session).toMatchObject({ did, handle, active: false, status: 'deactivated' })
  expect(await statusOf(to)).toMatchObject({
    activated: false,
    validDid: false,
    repoBlocks: 2,
    indexedRecords: 0,
    expectedBlobs: 0,
    importedBlobs: 0,
  })
  // Nothing of it is to be seen before it is at home there.
  const stranger = new AtpAgent({ service: to.peer.url })
  expect((await stranger.com.atproto.sync.getRepoStatus({ did })).data).toMatchObject({
    active: false,
    status: 'deactivated',
  })
}

async function importRepo(from: Resident, to: Resident, { cids, blobs }: RepoContent): Promise<void> {
  const { data: car } = await from.agent.com.atproto.sync.getRepo({ did: from.did })
  await to.agent.com.atproto.repo.importRepo(car, { encoding: 'application/vnd.ipld.car' })
  expect(await statusOf(to)).toMatchObject({
    activated: false,
    validDid: false,
    indexedRecords: cids.size,
    expectedBlobs: blobs.size,
  })
}

async function copyBlobs(from: Resident, to: Resident, { blobs }: RepoContent): Promise<void> {
  const wanted = new Set(blobs.keys())
  let cursor: string | undefined
  do {
    const { data } = await to.agent.com.atproto.repo.listMissingBlobs({ limit: 2, ...(cursor && { cursor }) })
    for (const { cid } of data.blobs) {
      expect(wanted).toContain(cid)
      const blob = await from.agent.com.atproto.sync.getBlob({ did: from.did, cid })
      const encoding = blob.headers['content-type'] ?? 'application/octet-stream'
      const uploaded = await to.agent.com.atproto.repo.uploadBlob(blob.data, { encoding })
      expect(uploaded.data.blob.ref.toString()).toBe(cid)
    }
    cursor = data.cursor
  } while (cursor !== undefined)
  expect((await to.agent.com.atproto.repo.listMissingBlobs()).data.blobs).toEqual([])
  expect(await statusOf(to)).toMatchObject({ expectedBlobs: wanted.size, importedBlobs: wanted.size })
}

async function copyPreferences(from: Resident, to: Resident): Promise<void> {
  const { data } = await from.agent.app.bsky.actor.getPreferences()
  await to.agent.app.bsky.actor.putPreferences(data)
  expect((await to.agent.app.bsky.actor.getPreferences()).data).toEqual(data)
  expect(data.preferences).toContainEqual(expect.objectContaining({ enabled: true }))
}

async function changeIdentity(from: Resident, to: Resident): Promise<void> {
  await expect(to.agent.com.atproto.server.activateAccount()).rejects.toMatchObject({ status: 400 })
  const { data: credentials } = await to.agent.com.atproto.identity.getRecommendedDidCredentials()
  const mailsBefore = (await mailsTo(from.peer, from.email)).length
  await from.agent.com.atproto.identity.requestPlcOperationSignature()
  const token = await mailedToken(from.peer, from.email, mailsBefore)
  const { data: signed } = await from.agent.com.atproto.identity.signPlcOperation({ token, ...credentials })
  expect(signed.operation).toMatchObject({ ...credentials })
  await to.agent.com.atproto.identity.submitPlcOperation({ operation: signed.operation })
  expect(await statusOf(to)).toMatchObject({ activated: false, validDid: true })
  expect(await statusOf(from)).toMatchObject({ activated: true, validDid: false })
}

async function switchOver(from: Resident, to: Resident, { cids, blobs }: RepoContent): Promise<void> {
  await to.agent.com.atproto.server.activateAccount()
  await from.agent.com.atproto.server.deactivateAccount({})
  expect(await statusOf(to)).toMatchObject({
    activated: true,
    validDid: true,
    indexedRecords: cids.size,
    expectedBlobs: blobs.size,
    importedBlobs: blobs.size,
  })
  expect(await statusOf(from)).toMatchObject({ activated: false, validDid: false })
}

async function statusOf({ agent }: Resident) {
  return (await agent.com.atproto.server.checkAccountStatus()).data
}
