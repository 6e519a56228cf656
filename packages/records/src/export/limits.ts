import { hourMs, minuteMs } from '@rookery/std'

/** Exports of one process that run at once: each holds a connection and a snapshot. */
export const exportsMax = 4

/** Exports of one process that wait for their turn; more are told to come back. */
export const waitingExportsMax = 64

/** How long an export may go without its client taking a byte, in milliseconds. */
export const exportStallMsMax = minuteMs

/** How long an export may take, in milliseconds: its snapshot keeps the whole database from being cleaned up. */
export const exportMsMax = 2 * hourMs

/** Size of the chunks of an export, in bytes; only the last is smaller. */
export const exportChunkBytes = 64 * 1024

/** Records of one statement of an export; what it holds back of them, their paths and CIDs, is a megabyte. */
export const exportBatchRecords = 4_000

/** Node bytes that one batch of an export may hold back until its records come. */
export const exportBatchNodeBytes = 1024 * 1024

/** Blocks that `getBlocks` answers at once. */
export const blocksMax = 500

/** Calls of `getBlocks` that one process answers at once: each may read all rows of a repo. */
export const blockReadsMax = 2

/** Calls of `getBlocks` that wait for their turn in one process; more are told to come back. */
export const waitingBlockReadsMax = 32

/** Bytes of blocks that `getBlocks` answers at once. */
export const blocksBytesMax = 8 * 1024 * 1024
