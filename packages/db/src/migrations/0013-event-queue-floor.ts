import { type Kysely, sql } from 'kysely'

/**
 * Numbers events above a queue id, so that the leader need not pass over rows that it took and vacuum cannot remove
 * yet. `number_events` without it stays for leaders of the previous version.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(numberEvents).execute(db)
}

/**
 * Numbers the oldest committed events above an id, in id order, and moves them to the log. The row lock on
 * event_sequencer and the term make it safe in any hands: a leader that was replaced moves nothing, and rows are
 * taken in a snapshot that is newer than the commit of the call before. An empty queue locks and writes nothing.
 *
 * Each event is seq (8 bytes), host (4), length of the frame (4), frame.
 */
const numberEvents = `
  create function number_events(
    leader_term bigint, after_id bigint, rows_max integer, bytes_max bigint, now_micros bigint, published bigint,
    out prev_seq bigint, out last_seq bigint, out events bytea
  )
  language plpgsql as $$
  declare
    last_id bigint;
    base_seq bigint;
  begin
    select max(b.id) into last_id from (
      select q.id, sum(octet_length(q.frame)) over (order by q.id) - octet_length(q.frame) as before
      from (select e.id, e.frame from event_queue e where e.id > after_id order by e.id limit rows_max) q
    ) b where b.before < bytes_max;
    if last_id is null then
      return;
    end if;

    select s.assigned_seq, greatest(s.assigned_seq, now_micros - 1) into prev_seq, base_seq
      from event_sequencer s where s.id = 1 and s.term = leader_term for update;
    if not found then
      raise exception 'another leader has taken over from term %', leader_term using errcode = 'RKTRM';
    end if;

    with taken as (
      delete from event_queue q where q.id > after_id and q.id <= last_id returning q.*
    ), numbered as (
      insert into event_log (host_id, seq, account_id, kind, frame)
      select t.host_id, t.seq, t.account_id, t.kind,
        overlay(t.frame placing int8send(t.seq) from t.seq_offset + 1)
      from (select taken.*, base_seq + row_number() over (order by taken.id) as seq from taken) t
      returning event_log.seq, event_log.host_id, event_log.frame
    )
    select max(n.seq),
        string_agg(int8send(n.seq) || int4send(n.host_id) || int4send(octet_length(n.frame)) || n.frame, ''
          order by n.seq)
      into last_seq, events from numbered n;
    if last_seq is not null then
      update event_sequencer s set assigned_seq = last_seq, published_seq = published where s.id = 1;
    end if;
  end
  $$`
