/**
 * `number_events`: numbers the oldest committed events above an id, in id order, and moves them to the log. The row lock on
 * event_sequencer and the term make it safe in any hands: a leader that was replaced moves nothing, and rows are
 * taken in a snapshot that is newer than the commit of the call before. An empty queue locks and writes nothing.
 *
 * Each event is seq (8 bytes), host (4), length of the frame (4), frame.
 *
 * Each id is looked up by itself: a join may compare every event with every id, as a queue that is empty at rest looks
 * small to the planner.
 */
export const numberEvents = `
  create or replace function number_events(
    leader_term bigint, after_id bigint, rows_max integer, bytes_max bigint, now_micros bigint, published bigint,
    out prev_seq bigint, out last_seq bigint, out events bytea
  )
  language plpgsql
  set enable_hashjoin = off set enable_mergejoin = off
  as $$
  declare
    ids bigint[];
    base_seq bigint;
  begin
    select array_agg(b.id order by b.id) into ids from (
      select q.id, sum(q.bytes) over (order by q.id) - q.bytes as before
      from (
        select e.id, octet_length(e.frame) as bytes from event_queue e where e.id > after_id order by e.id limit rows_max
      ) q
    ) b where b.before < bytes_max;
    if ids is null then
      return;
    end if;

    select s.assigned_seq, greatest(s.assigned_seq, now_micros - 1) into prev_seq, base_seq
      from event_sequencer s where s.id = 1 and s.term = leader_term for update;
    if not found then
      raise exception 'another leader has taken over from term %', leader_term using errcode = 'RKTRM';
    end if;

    insert into event_log (host_id, seq, account_id, kind, frame)
      select q.host_id, base_seq + u.n, q.account_id, q.kind,
        overlay(q.frame placing int8send(base_seq + u.n) from q.seq_offset + 1)
      from unnest(ids) with ordinality as u(id, n)
      cross join lateral (select * from event_queue e where e.id = u.id limit 1) q;
    delete from event_queue q where q.id = any (ids);
    last_seq := base_seq + cardinality(ids);
    select string_agg(int8send(l.seq) || int4send(l.host_id) || int4send(octet_length(l.frame)) || l.frame, ''
        order by l.seq)
      into events from event_log l where l.seq > base_seq and l.seq <= last_seq;
    update event_sequencer s set assigned_seq = last_seq, published_seq = published where s.id = 1;
  end
  $$`
