import { type Kysely, sql } from 'kysely'

/**
 * The firehose. A write inserts its event into event_queue, unsequenced, in its own transaction; the leader moves
 * committed rows into event_log under their seq. Both hold the finished frame with seq_offset saying where the
 * eight bytes of seq go. Queue ids come from a sequence without cache, taken under the repo's row lock: for one
 * account, id order is commit order.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create sequence event_queue_id cache 1`.execute(db)
  await sql`
    create table event_queue (
      id bigint primary key default nextval('event_queue_id'),
      host_id integer not null,
      account_id bigint not null,
      kind text not null check (kind in ('commit', 'sync', 'identity', 'account')),
      seq_offset integer not null,
      frame bytea not null
    ) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)`.execute(db)
  // Partitioned by seq, which is time in microseconds: retention drops partitions.
  await sql`
    create table event_log (
      host_id integer not null,
      seq bigint not null,
      account_id bigint not null,
      kind text not null,
      seq_offset integer not null,
      frame bytea not null,
      primary key (host_id, seq)
    ) partition by range (seq)`.execute(db)
  await sql`create index event_log_seq on event_log (seq)`.execute(db)
  await sql`alter table event_queue alter column frame set storage external`.execute(db)
  await sql`alter table event_log alter column frame set storage external`.execute(db)
  // High-water marks that outlive every partition: the highest seq assigned and the highest published.
  await sql`
    create table event_sequencer (
      id integer primary key check (id = 1),
      assigned_seq bigint not null default 0,
      published_seq bigint not null default 0
    )`.execute(db)
  await sql`insert into event_sequencer (id) values (1)`.execute(db)
}
