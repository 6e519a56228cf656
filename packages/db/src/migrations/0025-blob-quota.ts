import { type Kysely, sql } from 'kysely'

/**
 * Quotas in `store_blob`, and the state of blobs that were purged: the row stays to refuse the bytes when they come
 * again, and keeps its takedown reference; the object is gone.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table blob drop constraint blob_state_check`.execute(db)
  await sql`
    alter table blob add constraint blob_state_check
      check (state in ('temporary', 'permanent', 'quarantined', 'deleting', 'purged'))`.execute(db)
  await sql.raw(storeBlob).execute(db)
  await sql.raw(withoutQuota).execute(db)
}

// See 0011 for the locks. Quotas are compared after the new blob is counted: what concurrent uploads of the account
// have counted is seen, as its row is locked; of other accounts of the tenant, what is committed.
const storeBlob = `
    create function store_blob(p_account bigint, p_cid bytea, p_key text, p_type text, p_size bigint,
      p_account_bytes_max bigint, p_tenant_bytes_max bigint)
    returns setof blob language plpgsql
    set plan_cache_mode = force_generic_plan set enable_seqscan = off
    as $$
    declare
      refs integer;
      stored blob;
      usage account_usage;
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
            set blob_bytes = total.blob_bytes + excluded.blob_bytes, blob_count = total.blob_count + 1
            returning * into usage;
          if usage.blob_bytes > coalesce(usage.blob_bytes_max, p_account_bytes_max) then
            raise 'account quota' using errcode = 'RQ001';
          end if;
          if p_tenant_bytes_max < (select sum(blob_bytes) from tenant_usage where tenant_id = usage.tenant_id) then
            raise 'tenant quota' using errcode = 'RQ002';
          end if;
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

/** For pods that know of no quotas. */
const withoutQuota = `
    create or replace function store_blob(p_account bigint, p_cid bytea, p_key text, p_type text, p_size bigint)
    returns setof blob language plpgsql as $$
    begin
      return query select * from store_blob(p_account, p_cid, p_key, p_type, p_size, null, null);
    end $$`
