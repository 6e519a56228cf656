/**
 * `commit_batch`: stores commits of different repos in one round trip, each all or nothing.
 *
 * Bytes come in one `payload`, cut by zero-based offsets, so that no byte is hex-encoded on the way. A commit at
 * `c_at`: expected head, new head, data (36 bytes each), then the commit block, the pack and the frame. A record at
 * `r_at`: its CID (36), its link (8), its bytes. A blob reference at `b_at`: the blob's CID (36). `r_commit` and
 * `b_commit` are one-based positions of commits; `r_action` is 0 create, 1 update, 2 delete. `c_epoch` is the session
 * epoch of the token that the write came with; -1 if it came with none that has one.
 *
 * Returns a code per commit: 0 stored, 1 head moved, 2 deactivated, 3 suspended, 4 taken down, 5 no such repo,
 * 6 a blob is missing or taken down, 7 another transaction holds the repo, 8 the session was ended.
 *
 * Heads are locked first, in account order and without waiting: a repo that an import or a takedown holds delays
 * nobody else's commit. The event's id is taken under that lock. A head that another transaction has just moved may be
 * lost to the join, which then evaluates itself again on a partitioned table: such a repo counts as held. Other rows
 * that others may hold are touched one at a time, as a join that waits for one may lose it too. Planner settings keep
 * to index look-ups whatever the statistics say. Most batches only create records without blobs: they skip what
 * the others need. The compared head says that a record to create is not there: a row of it would be damage, and fails
 * the commit.
 */
export const commitBatch = `
    create or replace function commit_batch(
      payload bytea,
      c_account bigint[], c_host integer[], c_rev text[], c_at integer[],
      c_commit_bytes integer[], c_pack_bytes integer[], c_frame_bytes integer[], c_seq_offset integer[],
      c_epoch integer[],
      r_commit integer[], r_action integer[], r_collection text[], r_rkey text[], r_at integer[],
      r_has_link boolean[], r_bytes integer[],
      b_commit integer[], b_collection text[], b_rkey text[], b_at integer[]
    ) returns integer[] language plpgsql
    set plan_cache_mode = force_generic_plan set enable_seqscan = off
    set enable_hashjoin = off set enable_mergejoin = off
    as $$
    #variable_conflict use_column
    declare
      codes integer[];
      c record;
      r record;
      b record;
    begin
      codes := array_fill(5, array[cardinality(c_account)]);
      for c in
        select u.n, case r.status when 'takendown' then 4 when 'suspended' then 3 when 'deactivated' then 2
            else case when u.epoch not in (-1, r.session_epoch) then 8
              else (r.head <> substring(payload from u.at + 1 for 36))::integer end end as code
        from unnest(c_account, c_at, c_epoch) with ordinality as u(account_id, at, epoch, n)
        join repo r on r.account_id = u.account_id
        order by u.account_id for update of r skip locked
      loop
        codes[c.n] := c.code;
      end loop;
      if 5 = any (codes) then
        for c in select u.account_id, u.n from unnest(c_account) with ordinality as u(account_id, n) loop
          if codes[c.n] = 5 and exists (select from repo r where r.account_id = c.account_id) then
            codes[c.n] := 7;
          end if;
        end loop;
      end if;

      if cardinality(b_commit) > 0 then
        for b in
          select distinct u.n, c_account[u.n] as account_id, substring(payload from u.at + 1 for 36) as cid
          from unnest(b_commit, b_at) as u(n, at) where codes[u.n] = 0 order by account_id, cid
        loop
          perform from blob where blob.account_id = b.account_id and blob.cid = b.cid
            and blob.takedown_ref is null and blob.state in ('temporary', 'permanent') for update;
          if not found then codes[b.n] := 6; end if;
        end loop;
      end if;

      update repo r set rev = c.rev, head = substring(payload from c.at + 37 for 36),
          data = substring(payload from c.at + 73 for 36),
          commit = substring(payload from c.at + 109 for c.commit_bytes),
          delta_bytes = r.delta_bytes + c.pack_bytes, delta_count = r.delta_count + sign(c.pack_bytes)::integer,
          updated_at = now()
        from unnest(c_account, c_rev, c_at, c_commit_bytes, c_pack_bytes, codes)
          as c(account_id, rev, at, commit_bytes, pack_bytes, code)
        where r.account_id = c.account_id and c.code = 0;

      insert into pack (account_id, rev, chunk, kind, bytes)
        select c.account_id, c.rev, 0, 'delta', substring(payload from c.at + 109 + c.commit_bytes for c.pack_bytes)
        from unnest(c_account, c_rev, c_at, c_commit_bytes, c_pack_bytes, codes)
          as c(account_id, rev, at, commit_bytes, pack_bytes, code)
        where c.code = 0 and c.pack_bytes > 0;

      insert into record (account_id, collection, rkey, cid, rev, link, bytes)
        select c_account[r.n], r.collection, r.rkey, substring(payload from r.at + 1 for 36), c_rev[r.n],
          case when r.has_link then substring(payload from r.at + 37 for 8) end,
          substring(payload from r.at + 45 for r.bytes)
        from unnest(r_commit, r_action, r_collection, r_rkey, r_at, r_has_link, r_bytes)
          as r(n, action, collection, rkey, at, has_link, bytes)
        where codes[r.n] = 0 and r.action = 0;

      if 0 < any (r_action) then
        for r in
          select c_account[u.n] as account_id, c_rev[u.n] as rev, u.n, u.action, u.collection, u.rkey, u.at,
            u.has_link, u.bytes
          from unnest(r_commit, r_action, r_collection, r_rkey, r_at, r_has_link, r_bytes)
            as u(n, action, collection, rkey, at, has_link, bytes)
          where codes[u.n] = 0 and u.action > 0
        loop
          if r.action = 2 then
            delete from record where record.account_id = r.account_id and record.collection = r.collection
              and record.rkey = r.rkey;
          else
            insert into record (account_id, collection, rkey, cid, rev, link, bytes)
              values (r.account_id, r.collection, r.rkey, substring(payload from r.at + 1 for 36), r.rev,
                case when r.has_link then substring(payload from r.at + 37 for 8) end,
                substring(payload from r.at + 45 for r.bytes))
              on conflict (account_id, collection, rkey)
              do update set cid = excluded.cid, rev = excluded.rev, link = excluded.link, bytes = excluded.bytes;
          end if;
          for b in
            delete from blob_ref ref where ref.account_id = r.account_id and ref.collection = r.collection
              and ref.rkey = r.rkey and not exists (
                select from unnest(b_commit, b_collection, b_rkey, b_at) as u(n, collection, rkey, at)
                where u.n = r.n and u.collection = r.collection and u.rkey = r.rkey
                  and substring(payload from u.at + 1 for 36) = ref.cid)
            returning ref.cid
          loop
            update blob set ref_count = blob.ref_count - 1,
                unreferenced_at = case when blob.ref_count > 1 then null else now() end
              where blob.account_id = r.account_id and blob.cid = b.cid;
          end loop;
        end loop;
      end if;

      if cardinality(b_commit) > 0 then
        with wanted as (
          select distinct c_account[b.n] as account_id, b.collection, b.rkey,
              substring(payload from b.at + 1 for 36) as cid, c_rev[b.n] as rev
            from unnest(b_commit, b_collection, b_rkey, b_at) as b(n, collection, rkey, at) where codes[b.n] = 0
        ), kept as (
          update blob_ref ref set rev = w.rev from wanted w
            where ref.account_id = w.account_id and ref.collection = w.collection and ref.rkey = w.rkey
              and ref.cid = w.cid
        ), added as (
          insert into blob_ref (account_id, collection, rkey, cid, rev) select * from wanted
            on conflict (account_id, collection, rkey, cid) do nothing
            returning account_id, cid
        ), counted as (
          select account_id, cid, count(*)::integer as k from added group by account_id, cid
        )
        update blob set ref_count = blob.ref_count + counted.k, unreferenced_at = null,
            state = case when blob.state = 'temporary' then 'permanent' else blob.state end
          from counted where blob.account_id = counted.account_id and blob.cid = counted.cid;
      end if;

      insert into event_queue (host_id, account_id, kind, seq_offset, frame)
        select c.host_id, c.account_id, 'commit', c.seq_offset,
          substring(payload from c.at + 109 + c.commit_bytes + c.pack_bytes for c.frame_bytes)
        from unnest(c_host, c_account, c_at, c_commit_bytes, c_pack_bytes, c_frame_bytes, c_seq_offset, codes)
          as c(host_id, account_id, at, commit_bytes, pack_bytes, frame_bytes, seq_offset, code)
        where c.code = 0;
      return codes;
    end $$`
