import type pg from 'pg'

import { partitionLockMs } from '../limits.ts'

/** Rows of up to so many bytes keep their frame beside them, two to a page, instead of in pieces elsewhere. */
const inlineBytesMax = 4_064

const lockNotAvailable = '55P03'

/** A partition of the log: seqs from `fromSeq` to below `toSeq`. */
export type Partition = { fromSeq: number; toSeq: number }

/** Returns the log's partitions, oldest first. */
export async function listPartitions(client: pg.ClientBase): Promise<Partition[]> {
  const { rows } = await client.query<{ name: string }>(
    `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent = 'event_log'::regclass`,
  )
  return rows
    .map(({ name }) => {
      const [, from, to] = /^event_log_(\d+)_(\d+)$/.exec(name) ?? []
      return { fromSeq: Number(from), toSeq: Number(to) }
    })
    .sort((a, b) => a.fromSeq - b.fromSeq)
}

/**
 * Adds a partition. It is made apart and then attached: that keeps neither readers nor writers of the log waiting,
 * as `create table … partition of` would.
 */
export async function createPartition(client: pg.ClientBase, partition: Partition): Promise<void> {
  const name = tableName(partition)
  await client.query(`
    begin;
    create table ${name} (like event_log including storage including constraints)
      with (toast_tuple_target = ${inlineBytesMax});
    alter table event_log attach partition ${name}
      for values from (${partition.fromSeq}) to (${partition.toSeq});
    commit`)
}

/**
 * Drops a partition and notes, for every host, the highest seq that went with it.
 *
 * @returns false if readers of the log held it for too long.
 */
export async function tryDropPartition(client: pg.ClientBase, partition: Partition): Promise<boolean> {
  const name = tableName(partition)
  const drop = `
    begin;
    set local lock_timeout = '${partitionLockMs}ms';
    insert into event_dropped (host_id, seq)
      select h.id, m.seq from host h
      cross join lateral (select max(p.seq) as seq from ${name} p where p.host_id = h.id) m
      where m.seq is not null
      on conflict (host_id) do update set seq = greatest(event_dropped.seq, excluded.seq);
    drop table ${name};
    commit`
  try {
    await client.query(drop)
    return true
  } catch (error) {
    await client.query('rollback')
    if (error instanceof Error && 'code' in error && error.code === lockNotAvailable) return false
    throw error
  }
}

function tableName({ fromSeq, toSeq }: Partition): string {
  return `event_log_${fromSeq}_${toSeq}`
}
