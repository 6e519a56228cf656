import { Readable } from 'node:stream'

import { DiskBlobStore } from '@rookery/blobs'
import { listJobs } from '@rookery/jobs'
import { purgeBlob, uploadBlob } from '@rookery/records'
import { must } from '@rookery/std'
import { createHost, createTenant } from '@rookery/tenants'
import { expect, test, vi } from 'vitest'

import { setUp } from './support.ts'

test('a worker deletes the object of a blob that was purged, and its row refuses it from then on', async () => {
  await using world = await setUp()
  await using store = new DiskBlobStore({ dir: world.blobDir })
  const { pool, database } = world.db
  const tenant = await createTenant(database.kysely, { slug: 'acme', name: 'Acme' })
  const host = await createHost(database.kysely, { hostname: 'localhost:2583', tenant: 'acme' })
  const [hostId, tenantId] = [host.id, tenant.id]
  const { rows } = await pool.query<{ id: number }>(
    `insert into account (host_id, tenant_id, did) values ($1, $2, 'did:plc:ann') returning id`,
    [hostId, tenantId],
  )
  const accountId = must(rows[0]).id
  const upload = (text: string) =>
    uploadBlob(
      { store, pool },
      { hostId, accountId, body: Readable.from([Buffer.from(text)]), bytesMax: 100 },
    )
  const { cid } = await upload('bad')
  await upload('good')
  await purgeBlob(pool, { hostId, tenantId, accountId, cid, ref: 'case-1' })
  await world.start()
  await vi.waitFor(
    async () => {
      const left = await store.list({ prefix: `${hostId}/${accountId}/` })
      expect(left).toHaveLength(1)
      expect(await listJobs(pool)).toEqual([])
    },
    { timeout: 20_000 },
  )
  const { rows: blobs } = await pool.query('select state, size from blob order by size')
  expect(blobs).toEqual([
    { state: 'purged', size: 3 },
    { state: 'temporary', size: 4 },
  ])
  await expect(upload('bad')).rejects.toMatchObject({ code: 'BlobTakenDown' })
})
