import { type Kysely, sql } from 'kysely'

/**
 * The firehose. A write inserts its event into event_queue, unsequenced, in its own transaction; the leader moves
 * committed rows into event_log under their seq. Queue ids come from a sequence without cache, taken under the
 * repo's row lock: for one account, id order is commit order.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create sequence event_queue_id cache 1`.execute(db)
  // A finished frame but for the eight bytes of seq at seq_offset.
  await sql`
    create table event_queue (
      id bigint primary key default nextval('event_queue_id'),
      host_id integer not null,
      account_id bigint not null,
      kind text not null check (kind in ('commit', 'sync', 'identity', 'account')),
      seq_offset integer not null,
      frame bytea not null
    ) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)`.execute(db)
  // Frames as they go to subscribers. Partitioned by seq, which is time in microseconds: retention drops partitions.
  await sql`
    create table event_log (
      host_id integer not null,
      seq bigint not null,
      account_id bigint not null,
      kind text not null,
      frame bytea not null,
      primary key (host_id, seq)
    ) partition by range (seq)`.execute(db)
  await sql`create index event_log_seq on event_log (seq)`.execute(db)
  await sql`alter table event_queue alter column frame set storage external`.execute(db)
  await sql`alter table event_log alter column frame set storage external`.execute(db)
  // What outlives every partition: who leads (a term is taken once), the highest seq assigned and published.
  await sql`
    create table event_sequencer (
      id integer primary key check (id = 1),
      term bigint not null default 0,
      assigned_seq bigint not null default 0,
      published_seq bigint not null default 0
    )`.execute(db)
  await sql`insert into event_sequencer (id) values (1)`.execute(db)
  // The highest seq of each host that retention has dropped: a cursor below it has missed events.
  await sql`
    create table event_dropped (
      host_id integer primary key,
      seq bigint not null
    )`.execute(db)
  await sql.raw(sequenceEvents).execute(db)
}

/**
 * Numbers the oldest committed events, in id order, and moves them to the log. The row lock on event_sequencer and
 * the term make it safe in any hands: a leader that was replaced moves nothing, and each call reads the queue in a
 * snapshot taken after the call before has committed.
 */
const sequenceEvents = `
  create function sequence_events(
    leader_term bigint, rows_max integer, bytes_max bigint, now_micros bigint, published bigint
  )
  returns table (prev_seq bigint, seq bigint, host_id integer, frame bytea)
  language plpgsql as $$
  declare
    last_seq bigint;
    first_seq bigint;
    moved bigint;
  begin
    select s.assigned_seq into last_seq from event_sequencer s where s.id = 1 and s.term = leader_term for update;
    if not found then
      raise exception 'another leader has taken over from term %', leader_term using errcode = 'RKTRM';
    end if;
    first_seq := greatest(last_seq + 1, now_micros);
    return query
      with batch as (
        select q.id, row_number() over w as n, sum(octet_length(q.frame)) over w - octet_length(q.frame) as before
        from (select e.id, e.frame from event_queue e order by e.id limit rows_max) q
        window w as (order by q.id)
      ), taken as (
        delete from event_queue q using batch b where q.id = b.id and b.before < bytes_max
        returning first_seq + b.n - 1 as seq, q.*
      ), numbered as (
        insert into event_log (host_id, seq, account_id, kind, frame)
        select t.host_id, t.seq, t.account_id, t.kind,
          overlay(t.frame placing int8send(t.seq) from t.seq_offset + 1)
        from taken t
        returning event_log.seq, event_log.host_id, event_log.frame
      )
      select lag(n.seq, 1, last_seq) over (order by n.seq), n.seq, n.host_id, n.frame from numbered n order by n.seq;
    get diagnostics moved = row_count;
    if moved > 0 then
      update event_sequencer s set assigned_seq = first_seq + moved - 1, published_seq = published where s.id = 1;
    end if;
  end
  $$`
