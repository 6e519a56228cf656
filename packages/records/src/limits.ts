/** Most operations of one commit: what relays accept (SPEC SYN-3). */
export const commitOpsMax = 200

/** Largest CAR slice of one commit, in bytes: what relays accept (SPEC SYN-3). */
export const commitCarBytesMax = 2_000_000

/** Most blob references of one record: as many rows are written with it. */
export const recordBlobsMax = 1_000

/** Duplicates of a like, repost, follow or block that one create replaces. */
export const replacedDuplicatesMax = 100

/** Commits of one statement: past 16 the gain flattens, past 64 the latency doubles. */
export const batchCommitsMax = 64

/** Longest time that a statement waits for more commits, in milliseconds. */
export const gatherMsMax = 4

/** Commits that go out without waiting for more. */
export const gatheredCommits = 8

/** Bytes of one statement; a commit that is larger alone goes alone. */
export const batchBytesMax = 8 * 1024 * 1024

/** How often a commit to a repo that another transaction holds is tried before it waits for the row's lock. */
export const busyRetriesMax = 8

/** Time between those tries, in milliseconds. */
export const busyRetryMs = 4

/** Commits of one process that wait for a statement. */
export const waitingCommitsMax = 2_000

/** Writes of one process that wait for the same repo. */
export const waitingWritesPerRepoMax = 200

/** How often a write is tried against a head that others move before it takes the row lock. */
export const optimisticAttemptsMax = 4

/** Writes of one process that hold a repo's row lock while they compute: each takes a connection. */
export const lockedWritesMax = 2

/**
 * Share of the writes that find their kept head moved, above which heads are looked up before a commit is built on
 * them: a look-up costs about a fifth of a commit that is built in vain.
 */
export const movedShareMax = 0.2

/** Weight of the latest write in that share. */
export const movedShareWeight = 1 / 64

/** Queues of repos without a waiting write that a process keeps, about 200 bytes each. */
export const keptQueuesMax = 10_000

/** Tree nodes that a process keeps with the heads of repos, each about 2 KB; every head counts as one more. */
export const cachedTreeNodesMax = 50_000

/**
 * Nodes of one kept tree past which only those along its last path stay: as soon as few packs are left that could be
 * joined from the others, and past the second number at any time.
 */
export const cachedNodesPerTree = 64
export const cachedNodesPerTreeMax = 256

/** Those few packs. */
export const unjoinedPacksMax = 8

/** Tree nodes that a process keeps, in bytes of nodes; the map around them adds about half. */
export const cachedNodeBytesMax = 64 * 1024 * 1024

/** Delta bytes that may be written to a repo whatever its size, before it is compacted. */
export const deltaBytesFloor = 512 * 1024

/**
 * Delta bytes that may be written to a repo with a large base, as a multiple of the base: a write adds some kilobytes of
 * nodes and replaces some hundred bytes.
 */
export const largeBaseShare = 2

/** Bytes of joined deltas past which a repo is compacted whatever its size: a cold load reads them all. */
export const joinedBytesMax = 4 * 1024 * 1024

/** Delta packs of one process's commits past which it joins them from what it has in memory: about 1 ms. */
export const madePacksMax = 48

/** Delta packs past which they are read and joined to one: about 5 ms. */
export const loosePacksMax = 128

/** Bytes of delta packs, as far as one process knows, past which they are joined. */
export const looseBytesMax = 1024 * 1024

/** Delta packs past which a repo is compacted: joining them has failed again and again. */
export const deltaPacksMax = 500

/** Delta bytes after which a compaction that is due is asked for again. */
export const compactionReminderBytes = 128 * 1024

/** Live tree up to which a write's process compacts the repo itself, in bytes; larger ones are a job. */
export const inlineCompactionBytesMax = 512 * 1024

/** Compactions that a process runs at once beside its writes: each takes a connection. */
export const inlineCompactionsMax = 2

/** Compactions that a process has running or waiting; repos past it are asked for again by their next commit. */
export const waitingCompactionsMax = 256

/** Size at which a chunk of a base pack is closed, in bytes. */
export const chunkBytesTarget = 48 * 1024

/** Size at which a chunk is closed wherever it is, in bytes: mined keys can make one sub-tree of any size. */
export const chunkBytesMax = 1024 * 1024

/** Nodes of this layer and below go into chunks, those above into the directory: about 85 nodes hang from one. */
export const chunkLayerMax = 3

/** Chunks of one repo that a walk keeps at hand. */
export const walkChunksMax = 4

/** Chunks that an export reads at once: about as many as one statement's records hang from. */
export const chunksAheadMax = 6

/** Rows of one transaction when an account's content is deleted. */
export const deletionBatchRows = 1_000

/** Pages of records that one statement reads: a page may be large, up to 100 records of 1 MiB. */
export const pagesPerStatementMax = 4

/** Latest writes among which recent records are looked for, and the most of those that are read. */
export const recentWritesMax = 100
export const recentRecordsMax = 10
