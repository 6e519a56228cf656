/**
 * Indexes of tables that are in use. `create index` lets nobody write until it is done; `concurrently` does, but not
 * within a transaction, and leaves an invalid index behind when it fails. Of a partitioned table each partition gets
 * its own, and the index of the whole becomes valid with the last of them. Every step looks first at what is there, so
 * a build that was broken off, anywhere, is run again and goes on.
 */
import { setTimeout as sleep } from 'node:timers/promises'

import type pg from 'pg'

/** An index that is built while the table is written to. Names and columns are SQL. */
export type ConcurrentIndex = {
  name: string
  table: string
  /** What follows the table: `(account_id, rev) where …`. */
  on: string
  isUnique?: boolean
}

/** Key of the lock that one builder at a time holds. */
const builderLock = 7_204_511_803_002

/** How often a second builder looks whether the first is done, in milliseconds. */
const builderPauseMs = 1_000

/** How long the index of a partitioned table waits for locks on it, in milliseconds: writes queue behind it. */
const parentLockMsMax = 1_000

/**
 * Builds the index, or returns if it is there. Waits for another process that builds one, and, as PostgreSQL does, for
 * every transaction that was open before.
 *
 * @throws {Error} what PostgreSQL refused; 55P03 if the lock for a partitioned table was not to be had.
 */
export async function buildIndex(pool: pg.Pool, index: ConcurrentIndex): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('set statement_timeout = 0; set lock_timeout = 0')
    // A statement that waits for the lock would itself be a transaction that the first builder waits for.
    while (!(await isTrue(client, `select pg_try_advisory_lock(${builderLock})`))) await sleep(builderPauseMs)
    const { rows: leaves } = await client.query<{ name: string }>(
      'select relid::regclass::text as name from pg_partition_tree($1) where isleaf and level > 0 order by 1',
      [index.table],
    )
    if (leaves.length === 0) await buildOne(client, index)
    else
      await buildPartitioned(
        client,
        index,
        leaves.map(({ name }) => name),
      )
  } finally {
    // The session's end gives its lock and its settings back.
    client.release(true)
  }
}

async function buildOne(
  client: pg.ClientBase,
  { name, table, on, isUnique }: ConcurrentIndex,
): Promise<void> {
  if (await isTrue(client, 'select indisvalid from pg_index where indexrelid = to_regclass($1)', name)) return
  await client.query(`drop index concurrently if exists ${name}`)
  await client.query(
    `create ${isUnique === true ? 'unique ' : ''}index concurrently ${name} on ${table} ${on}`,
  )
}

async function buildPartitioned(
  client: pg.ClientBase,
  index: ConcurrentIndex,
  leaves: readonly string[],
): Promise<void> {
  const { name, table, on, isUnique } = index
  const unique = isUnique === true ? 'unique ' : ''
  const ofLeaves = leaves.map((leaf) => ({ ...index, table: leaf, name: `${leaf}_${name}` }))
  for (const ofLeaf of ofLeaves) await buildOne(client, ofLeaf)
  await client.query(`set lock_timeout = ${parentLockMsMax}`)
  await client.query(`create ${unique}index if not exists ${name} on only ${table} ${on}`)
  // One that is attached already stays so.
  for (const ofLeaf of ofLeaves) await client.query(`alter index ${name} attach partition ${ofLeaf.name}`)
}

async function isTrue(client: pg.ClientBase, query: string, ...values: string[]): Promise<boolean> {
  const { rows } = await client.query({ text: query, values, rowMode: 'array' })
  return (rows as unknown[][])[0]?.[0] === true
}
