import { type Kysely, sql } from 'kysely'

/**
 * `store_blob`: makes an uploaded object an account's blob and returns its row, in one round trip.
 *
 * The row is that of this object, or of an earlier one with the same bytes, which then only starts its age anew;
 * one that is taken down is returned as it is, and an account that is gone gives no row. A blob that records
 * already refer to is permanent at once.
 *
 * While repo and account are locked, in this order as everywhere, no commit of the account adds or removes
 * references and the account is not deleted. Each statement sees what was committed before it began: the
 * references are counted under the lock.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw(storeBlob).execute(db)
}

const storeBlob = `
    create function store_blob(p_account bigint, p_cid bytea, p_key text, p_type text, p_size bigint)
    returns setof blob language plpgsql
    set plan_cache_mode = force_generic_plan set enable_seqscan = off
    as $$
    declare
      refs integer;
      stored blob;
    begin
      perform from repo where account_id = p_account for share;
      perform from account where id = p_account for key share;
      if not found then return; end if;
      select count(*) into refs from blob_ref where account_id = p_account and cid = p_cid;
      loop
        insert into blob (account_id, cid, object_key, mime_type, size, ref_count, state, unreferenced_at)
          values (p_account, p_cid, p_key, p_type, p_size, refs,
            case when refs > 0 then 'permanent' else 'temporary' end, case when refs = 0 then now() end)
          on conflict (account_id, cid) do nothing returning * into stored;
        if found then
          insert into account_usage as total (account_id, blob_bytes, blob_count) values (p_account, p_size, 1)
            on conflict (account_id) do update
            set blob_bytes = total.blob_bytes + excluded.blob_bytes, blob_count = total.blob_count + 1;
          return next stored;
          return;
        end if;
        -- The collector may delete the row in conflict before it is locked: then the insert succeeds next time.
        select * into stored from blob where account_id = p_account and cid = p_cid for update;
        exit when found;
      end loop;

      if stored.takedown_ref is null and stored.state = 'deleting' then
        -- The collector has given this row up: it deletes the old object and leaves a row with another one alone.
        update blob set object_key = p_key, mime_type = p_type, ref_count = refs, created_at = now(),
            state = case when refs > 0 then 'permanent' else 'temporary' end,
            unreferenced_at = case when refs = 0 then now() end
          where account_id = p_account and cid = p_cid returning * into stored;
      elsif stored.takedown_ref is null and stored.unreferenced_at is not null then
        update blob set unreferenced_at = now() where account_id = p_account and cid = p_cid;
      end if;
      return next stored;
    end $$`
