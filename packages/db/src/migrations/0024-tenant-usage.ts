import { type Kysely, sql } from 'kysely'

/**
 * A tenant's running totals, and what an account may keep instead of its tenant's rule.
 *
 * They are kept by a trigger on `account_usage`, so that whatever changes an account's totals changes its tenant's in
 * the same transaction. Each tenant has 16 rows, of which an account always counts in the same one: uploads of a
 * tenant's accounts wait for one another only where they share a row, and then for one commit.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table account_usage add column tenant_id bigint, add column blob_bytes_max bigint
      check (blob_bytes_max >= 0)`.execute(db)
  await sql`
    create table tenant_usage (
      tenant_id bigint not null,
      shard smallint not null,
      blob_bytes bigint not null default 0,
      blob_count bigint not null default 0,
      primary key (tenant_id, shard)
    ) with (fillfactor = 50)`.execute(db)
  // What is left of an account that is being deleted counts for nobody.
  await sql`update account_usage u set tenant_id = a.tenant_id from account a where a.id = u.account_id`.execute(
    db,
  )
  await sql`
    insert into tenant_usage (tenant_id, shard, blob_bytes, blob_count)
    select tenant_id, account_id % 16, sum(blob_bytes), sum(blob_count) from account_usage
    where tenant_id is not null group by 1, 2`.execute(db)
  await sql`create index account_usage_tenant on account_usage (tenant_id, account_id)`.execute(db)
  await sql.raw(fillTenant).execute(db)
  await sql.raw(countTenantUsage).execute(db)
  await sql`
    create trigger account_usage_tenant before insert on account_usage
    for each row when (new.tenant_id is null) execute function fill_usage_tenant()`.execute(db)
  await sql`
    create trigger account_usage_count after insert or update or delete on account_usage
    for each row execute function count_tenant_usage()`.execute(db)
}

const fillTenant = `
    create function fill_usage_tenant() returns trigger language plpgsql as $$
    begin
      select tenant_id into new.tenant_id from account where id = new.account_id;
      return new;
    end $$`

const countTenantUsage = `
    create function count_tenant_usage() returns trigger language plpgsql as $$
    begin
      if tg_op = 'UPDATE' and new.tenant_id = old.tenant_id then
        if (new.blob_bytes, new.blob_count) <> (old.blob_bytes, old.blob_count) then
          update tenant_usage set blob_bytes = blob_bytes + new.blob_bytes - old.blob_bytes,
              blob_count = blob_count + new.blob_count - old.blob_count
            where tenant_id = new.tenant_id and shard = new.account_id % 16;
        end if;
        return null;
      end if;
      if tg_op <> 'INSERT' and old.tenant_id is not null then
        update tenant_usage set blob_bytes = blob_bytes - old.blob_bytes, blob_count = blob_count - old.blob_count
          where tenant_id = old.tenant_id and shard = old.account_id % 16;
      end if;
      if tg_op <> 'DELETE' and new.tenant_id is not null then
        insert into tenant_usage as total (tenant_id, shard, blob_bytes, blob_count)
          values (new.tenant_id, new.account_id % 16, new.blob_bytes, new.blob_count)
          on conflict (tenant_id, shard) do update
          set blob_bytes = total.blob_bytes + excluded.blob_bytes, blob_count = total.blob_count + excluded.blob_count;
      end if;
      return null;
    end $$`
