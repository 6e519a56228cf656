import { createReadStream, existsSync } from 'node:fs'
import { join } from 'node:path'

import { Secp256k1Keypair } from '@atproto/crypto'
import { verifyRepoCar } from '@atproto/repo'
import {
  type Block,
  TreeBuilder,
  collectCar,
  encodeCar,
  memoryStore,
  openTree,
  signCommit,
  verifyRepo,
  walkTree,
} from '@rookery/repo'
import { must } from '@rookery/std'
import { cidToString, decodeDataObject, tidAfter, tidFrom } from '@rookery/syntax'
import { describe, expect, test } from 'vitest'

// The exports belong to real people and are not ours to publish: they lie beside the repository, not in it.
const folder = join(process.env['ROOKERY_SHARED'] ?? join(import.meta.dirname, '../../../shared'), 'data')
const present = existsSync(folder)
if (!present) {
  process.stderr.write(
    `\n*** The real repositories were NOT checked: ${folder} does not exist.\n` +
      '*** Set ROOKERY_SHARED to the folder whose "data" holds the three .repo.car files.\n\n',
  )
}

const repos = [
  { name: 'fakermaker', version: 2, count: 142, did: 'did:plc:dpg45vsnuir2vqqqadsn6afg' },
  { name: 'paul_staging', version: 2, count: 185, did: 'did:plc:cmpvykrzb2l22kj4ojlv3ox4' },
  { name: 'greenground', version: 3, count: 2, did: 'did:plc:kzcqyc3unb33eh5sxzsfs25z' },
]

describe.runIf(present)('real repositories', () => {
  test.each(repos)('$name: every record is readable, and rebuilding gives its root', async (repo) => {
    const { roots, blocks } = await collectCar(createReadStream(join(folder, `${repo.name}.repo.car`)))
    const { commit, records } = await verifyRepo(roots[0], memoryStore(blocks))
    expect(commit).toMatchObject({ version: repo.version, did: repo.did })
    const builder = new TreeBuilder(() => {})
    let count = 0
    for await (const { path, cid } of records) {
      const record = decodeDataObject(must(blocks.get(cid)))
      expect(record['$type']).toBe(path.split('/')[0])
      builder.add(path, cid)
      count++
    }
    expect(count).toBe(repo.count)
    expect(cidToString(builder.finish())).toBe(cidToString(commit.data))
  })

  test.each(repos)('$name: signed anew and exported, the reference reads it back', async (repo) => {
    const { roots, blocks } = await collectCar(createReadStream(join(folder, `${repo.name}.repo.car`)))
    const store = memoryStore(blocks)
    const { commit } = await verifyRepo(roots[0], store)
    const key = await Secp256k1Keypair.create()
    const rev = tidAfter(commit.rev ?? tidFrom(0, 0))
    const signed = await signCommit({ did: repo.did, rev, data: commit.data }, (bytes) => key.sign(bytes))
    const exported: Block[] = [signed]
    for await (const item of walkTree(openTree(commit.data, { foreign: true }), store)) {
      exported.push({ cid: item.cid, bytes: must(blocks.get(item.cid)) })
    }
    const read = await verifyRepoCar(encodeCar(signed.cid, exported), repo.did, key.did())
    expect(read.creates).toHaveLength(repo.count)
    expect(read.commit).toMatchObject({ rev })
  })
})
