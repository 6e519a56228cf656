import { type Kysely, sql } from 'kysely'

/** Blobs of an account, which of its records refer to them, and the account's running totals. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // ref_count counts the rows of blob_ref; both change in the commit's transaction, which holds the repo's row.
  // A commit refers to a blob only while its state is temporary or permanent and takedown_ref is null: it then
  // becomes permanent, counts one more, and unreferenced_at becomes null. When the count falls to 0,
  // unreferenced_at becomes now(). From deleting there is no way back but another upload.
  await sql`
    create table blob (
      account_id bigint not null,
      cid bytea not null,
      object_key text not null,
      mime_type text not null,
      size bigint not null,
      state text not null default 'temporary'
        check (state in ('temporary', 'permanent', 'quarantined', 'deleting')),
      ref_count integer not null default 0 check (ref_count >= 0),
      takedown_ref text,
      created_at timestamptz not null default now(),
      unreferenced_at timestamptz default now(),
      primary key (account_id, cid)
    ) partition by hash (account_id)`.execute(db)
  // Found by the collector: what nothing refers to, oldest first.
  await sql`create index blob_unreferenced on blob (unreferenced_at) where unreferenced_at is not null`.execute(
    db,
  )
  await sql`
    create table blob_ref (
      account_id bigint not null,
      collection text not null collate "C",
      rkey text not null collate "C",
      cid bytea not null,
      rev text not null collate "C",
      primary key (account_id, collection, rkey, cid)
    ) partition by hash (account_id)`.execute(db)
  await sql`create index blob_ref_cid on blob_ref (account_id, cid)`.execute(db)
  for (const table of ['blob', 'blob_ref']) {
    for (let n = 0; n < 4; n++) {
      await sql
        .raw(`create table ${table}_${n} partition of ${table} for values with (modulus 4, remainder ${n})`)
        .execute(db)
    }
  }
  await sql`
    create table account_usage (
      account_id bigint primary key,
      blob_bytes bigint not null default 0,
      blob_count bigint not null default 0
    )`.execute(db)
}
