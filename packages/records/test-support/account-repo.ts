import { Secp256k1Keypair } from '@atproto/crypto'
import { type AccountStatus, type Database, inTransaction } from '@rookery/db'
import { must } from '@rookery/std'

import { createRepo } from '../src/index.ts'
import { type TestRepo, testClock } from './test-repo.ts'

let keypair: Secp256k1Keypair | undefined
let lastDid = 0

/** A repo whose account is in the tables too: it is found by its DID. */
export type AccountRepo = TestRepo & { hostId: number; tenantId: number }

/** Creates an account with an empty repo on the database's first host, or on another by name. */
export async function createAccountRepo(
  db: Database,
  options: { did?: string; status?: AccountStatus; hostname?: string } = {},
): Promise<AccountRepo> {
  const key = (keypair ??= await Secp256k1Keypair.create())
  const { hostId, tenantId } = await ensureHost(db, options.hostname ?? 'pds.test')
  const did = options.did ?? `did:web:owner-${++lastDid}.test`
  const { rows } = await db.pool.query<{ id: number }>(
    'insert into account (host_id, tenant_id, did) values ($1, $2, $3) returning id',
    [hostId, tenantId, did],
  )
  const accountId = must(rows[0]).id
  const sign = (bytes: Uint8Array): Promise<Uint8Array> => key.sign(bytes)
  const status = options.status ?? 'active'
  await inTransaction(db.pool, (tx) =>
    createRepo(tx, { accountId, hostId, did, status, sign, clock: testClock() }),
  )
  return { accountId, hostId, tenantId, did, keypair: key, sign }
}

async function ensureHost(db: Database, hostname: string): Promise<{ hostId: number; tenantId: number }> {
  const { rows } = await db.pool.query<{ hostId: number; tenantId: number }>(
    `with owner as (
       insert into tenant (slug, name) values (replace($1, '.', '-'), $1)
       on conflict (slug) do update set name = excluded.name returning id
     )
     insert into host (hostname, public_url, service_did, default_tenant_id)
     select $1, 'https://' || $1, 'did:web:' || $1, id from owner
     on conflict (hostname) do update set hostname = excluded.hostname
     returning id as "hostId", default_tenant_id as "tenantId"`,
    [hostname],
  )
  return must(rows[0])
}
