import { hourMs, minuteMs, secondMs } from '@rookery/std'

/** Largest frame, in bytes: a larger one makes every relay drop the connection for ever (SPEC EV-9). */
export const frameBytesMax = 5_000_000

/** Events that the leader numbers in one transaction. */
export const sequenceRowsMax = 500

/** Frame bytes that the leader numbers in one transaction; a single larger event goes alone. */
export const sequenceBytesMax = 4_000_000

/** Shortest time from the begin of a round that found events to the next, in milliseconds. */
export const roundMs = 20

/**
 * The same after one that followed another that found events, and after a round of many bytes: a round costs about as
 * much as 20 events, at every process on their way.
 */
export const busyRoundMs = 40
export const largeRoundMs = 80
export const largeRoundBytes = 32_000

/** How often the leader finds out which queue ids are done with while events come, in milliseconds. */
export const queueFloorMs = secondMs

/** Rows that the leader takes from the queue, and milliseconds that pass, before it has their space used again. */
export const queueVacuumRows = 5_000
export const queueVacuumMs = 5 * secondMs

/** Most of the time that may pass in that. */
export const queueVacuumShare = 0.02

/** How long the leader waits for a wake-up before it looks at the queue, in milliseconds; and while Redis is away. */
export const sequencePollMs = 500
export const sequencePollMsMin = 100

/**
 * Shortest time between two wake-ups that a process sends, in milliseconds. Under load the leader looks anyway; at
 * a few writes in a second this is what an event may wait that is committed right after another one.
 */
export const wakePauseMs = 20

/** How long a statement of the leader may run on the server, and until its answer is here, in milliseconds. */
export const leaderStatementMsMax = 30_000
export const leaderAnswerMsMax = leaderStatementMsMax + 5_000

/** How long a connection may take to close, in milliseconds. */
export const closeMsMax = 1_000

/**
 * How far the leader's clock may be behind the last seq, in milliseconds. Every event raises seq by at least one
 * microsecond, so only a clock that was set back (here or on the leader before) gets there.
 */
export const clockSkewMsMax = 10 * secondMs

/** Frame bytes that the Redis stream keeps: what pods read within seconds. Older events come from the log. */
export const streamBytesMax = 32_000_000

/** Events that a new leader, or one whose Redis is back, publishes again; pods read older ones from the log. */
export const republishRowsMax = 500

/** How long Redis may take to answer the leader, in milliseconds; then it counts as down. */
export const publishTimeoutMs = 1_000

/** How long the leader leaves a Redis that is down alone, in milliseconds. */
export const publishRetryMs = 500

/** How often the leader creates and drops partitions of the log, in milliseconds. */
export const partitionCheckMs = minuteMs

/** Longest and shortest time that one partition of the log covers, in milliseconds. */
export const partitionMsMax = 6 * hourMs
export const partitionMsMin = 10 * secondMs

/** How long dropping a partition may wait for readers, in milliseconds: new readers wait behind it. */
export const partitionLockMs = 500

/** Entries of one read of the stream; the stream's own bytes bound the answer. */
export const streamReadMax = 500

/** How long a read of the stream waits for news, in milliseconds; then the log is asked. */
export const streamBlockMs = 1_000

/** How long Redis may take beyond that to answer, in milliseconds; then it counts as down. */
export const streamAnswerMsMax = 1_000

/** How often the log is asked while Redis is down, in milliseconds. */
export const logPollMs = 100

/** Events and frame bytes of one page of the log, and so of one turn of a backfilling subscriber. */
export const logPageRowsMax = 500
export const logPageBytesMax = 1_000_000

/** Bytes of pages that stay in memory for the next subscriber at their position. */
export const logCacheBytesMax = 64_000_000

/** Joined chunks that the ring keeps for each host until its next event. */
export const joinedChunksMax = 16

/** Bytes that one write to a subscriber joins, unless a single event has more. */
export const chunkBytesMax = 128_000

/**
 * How long events gather after a round for each of its writes, and at most, in milliseconds. A write takes about
 * 8 microseconds: 1.3 percent of that time. With 500 subscribers six of 20 events in a second go together.
 */
export const gatherMsPerWrite = 0.6
export const gatherMsMax = 300

/** Bytes that may wait in this process for one subscriber before nothing more is written to it. */
export const pendingBytesMax = 256_000

/** Subscribers that read the log at the same time; the others wait for their turn. */
export const backfillTurnsMax = 4

/**
 * How long a connection may take nothing while bytes wait for it, in milliseconds. A relay at its rate limit stops
 * reading for minutes (SPEC HS-8) and must not be sent away for it.
 */
export const consumerStallMsMax = 5 * minuteMs

/** How often stalled connections are looked for, in milliseconds. */
export const sweepMs = secondMs
