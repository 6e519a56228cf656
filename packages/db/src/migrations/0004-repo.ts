import { type Kysely, sql } from 'kysely'

/** Repo heads, records and tree nodes: all keyed by account first and hash-partitioned by it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // status repeats the account's precedence (takendown > suspended > deactivated > active) so that the commit's
  // compare-and-set and every public read see it in the row that they touch anyway.
  await sql`
    create table repo (
      account_id bigint not null primary key,
      host_id integer not null,
      did text not null,
      status text not null default 'active'
        check (status in ('active', 'deactivated', 'suspended', 'takendown')),
      rev text not null collate "C",
      head bytea not null,
      data bytea not null,
      commit bytea not null,
      base_rev text collate "C",
      base_bytes bigint not null default 0,
      delta_bytes bigint not null default 0,
      delta_count integer not null default 0,
      updated_at timestamptz not null default now()
    ) partition by hash (account_id)`.execute(db)
  // link: eight bytes of the SHA-256 of what a like, repost, follow or block is about; finds its duplicates.
  await sql`
    create table record (
      account_id bigint not null,
      collection text not null collate "C",
      rkey text not null collate "C",
      cid bytea not null,
      rev text not null collate "C",
      takedown_ref text,
      link bytea,
      bytes bytea not null,
      primary key (account_id, collection, rkey)
    ) partition by hash (account_id)`.execute(db)
  await sql`create index record_rev on record (account_id, rev)`.execute(db)
  await sql`create index record_link on record (account_id, collection, link) where link is not null`.execute(
    db,
  )
  // The nodes a commit made (chunk 0), or a compacted base: chunk 1 is its directory, the rest its sub-trees.
  await sql`
    create table pack (
      account_id bigint not null,
      rev text not null collate "C",
      chunk integer not null default 0,
      kind text not null check (kind in ('delta', 'base')),
      bytes bytea not null,
      primary key (account_id, rev, chunk)
    ) partition by hash (account_id)`.execute(db)
  for (const table of ['repo', 'record', 'pack']) {
    const storage = table === 'repo' ? ' with (fillfactor = 60)' : ''
    for (let n = 0; n < 4; n++) {
      await sql
        .raw(
          `create table ${table}_${n} partition of ${table} for values with (modulus 4, remainder ${n})${storage}`,
        )
        .execute(db)
    }
  }
  await sql`alter table record alter column bytes set storage external`.execute(db)
  await sql`alter table pack alter column bytes set storage external`.execute(db)
}
