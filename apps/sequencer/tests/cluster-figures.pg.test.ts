import { appendEvent, encodeIdentityFrame } from '@rookery/events'
import { addJob } from '@rookery/jobs'
import { createHost, createTenant } from '@rookery/tenants'
import { createLogger, metrics } from '@rookery/telemetry'
import { createTestDatabase } from '@rookery/testkit'
import { expect, test } from 'vitest'

import { ClusterFigures } from '../src/cluster-figures.ts'

async function lines(name: string): Promise<string[]> {
  return (await metrics.page()).split('\n').filter((line) => line.startsWith(name))
}

test('the leader tells of queues and usage, and nobody else does', async () => {
  await using db = await createTestDatabase()
  await createTenant(db.database.kysely, { slug: 'acme', name: 'Acme' })
  await createHost(db.database.kysely, { hostname: 'acme.example', tenant: 'acme' })
  await addJob(db.pool, { queue: 'blob-gc', payload: { of: 'orphans' } })
  const frame = encodeIdentityFrame({ did: 'did:plc:a', time: '2026-01-01T00:00:00.000Z' })
  await appendEvent(db.pool, { hostId: 1, accountId: 1, kind: 'identity', frame })
  let floorId: number | undefined = 0
  await using _figures = new ClusterFigures({
    log: createLogger('test', 'silent'),
    pool: db.pool,
    queueFloorId: () => floorId,
    retentionMs: 3_600_000,
  })
  await expect.poll(() => lines('rookery_event_queue_events ')).toEqual(['rookery_event_queue_events 1'])
  expect(await lines('rookery_jobs{')).toEqual(['rookery_jobs{queue="blob-gc",state="waiting"} 1'])
  expect(await lines('rookery_jobs_oldest_seconds{')).toHaveLength(1)
  expect(await lines('rookery_event_log_overdue_seconds ')).toEqual(['rookery_event_log_overdue_seconds 0'])
  await expect
    .poll(() => lines('rookery_tenant_accounts{'))
    .toEqual(['rookery_tenant_accounts{tenant="acme"} 0'])
  expect(await lines('rookery_tenant_blob_bytes{')).toEqual(['rookery_tenant_blob_bytes{tenant="acme"} 0'])
  expect(await lines('rookery_host_accounts{')).toEqual(['rookery_host_accounts{host="acme.example"} 0'])
  floorId = undefined
  expect(await lines('rookery_event_queue_')).toEqual([])
  expect(await lines('rookery_jobs')).toEqual([])
  expect(await lines('rookery_tenant_')).toEqual([])
})
