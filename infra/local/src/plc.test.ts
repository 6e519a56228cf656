import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { Secp256k1Keypair } from '@atproto/crypto'
import { Client } from '@did-plc/lib'
import { expect, test } from 'vitest'

import { startPlc } from './index.ts'

test('DIDs can be created, updated and exported, and survive a restart', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'rookery-plc-'))
  const file = join(dir, 'plc.jsonl')
  const key = await Secp256k1Keypair.create()
  const first = await startPlc({ file })
  const client = new Client(first.url)
  const did = await client.createDid({
    signingKey: key.did(),
    rotationKeys: [key.did()],
    handle: 'alice.test',
    pds: 'http://localhost:2583',
    signer: key,
  })
  await client.updateHandle(did, key, 'alicia.test')
  await first[Symbol.asyncDispose]()

  await using second = await startPlc({ file })
  const again = new Client(second.url)
  expect((await again.getDocumentData(did)).alsoKnownAs).toEqual(['at://alicia.test'])
  expect(await again.getOperationLog(did)).toHaveLength(2)
  const exported = await (await fetch(`${second.url}/export`)).text()
  expect(exported.split('\n')).toHaveLength(2)
  await expect(again.updateHandle(did, await Secp256k1Keypair.create(), 'mallory.test')).rejects.toThrow(
    /400/,
  )
  rmSync(dir, { recursive: true })
})
