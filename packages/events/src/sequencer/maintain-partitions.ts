import { assert } from '@rookery/std'
import type { Logger } from '@rookery/telemetry'
import type pg from 'pg'

import { partitionMsMax, partitionMsMin } from '../limits.ts'
import { createPartition, listPartitions, tryDropPartition } from './partition-queries.ts'

/**
 * Makes the log ready for every seq of the next two partitions' time and drops partitions that are past retention.
 * Partitions join without gaps, so that a seq always has one, also after a long stop or a restore.
 */
export async function maintainPartitions(
  log: Logger,
  client: pg.ClientBase,
  options: { nowMicros: number; retentionMs: number },
): Promise<void> {
  const { nowMicros, retentionMs } = options
  const width = 1_000 * Math.round(Math.min(partitionMsMax, Math.max(partitionMsMin, retentionMs / 12)))
  const partitions = await listPartitions(client)
  // A cluster's first seq is the clock's; the slack is for a second leader with a slower clock.
  let end = partitions.at(-1)?.toSeq ?? nowMicros - 1_000 * partitionMsMax
  while (end < nowMicros + 2 * width) {
    const partition = { fromSeq: end, toSeq: Math.max(end, nowMicros) + width }
    await createPartition(client, partition)
    log.info(partition, 'added a partition to the event log')
    end = partition.toSeq
  }
  assert(Number.isSafeInteger(end), 'the year is before 2255')
  for (const partition of partitions) {
    if (partition.toSeq > nowMicros - 1_000 * retentionMs) break
    if (!(await tryDropPartition(client, partition))) {
      log.info(partition, 'readers hold a partition of the event log: it is dropped later')
      break
    }
    log.info(partition, 'dropped a partition of the event log')
  }
}
