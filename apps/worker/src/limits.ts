import { dayMs, hourMs, minuteMs, secondMs } from '@rookery/std'

/** How often blobs without references are collected, in milliseconds. */
export const blobGcEveryMs = 5 * minuteMs

/** How often objects without a row are looked for, in milliseconds: it lists the whole store. */
export const orphanGcEveryMs = dayMs

/** How often repos are looked for that stopped taking writes before they were compacted, in milliseconds. */
export const compactionScanEveryMs = hourMs

/** Repos that one such look finds. */
export const compactionScanReposMax = 500

/** How often accounts are looked for whose time to be deleted has come, in milliseconds. */
export const accountDeletionEveryMs = minuteMs

/** Accounts that one such look finds. */
export const accountDeletionsMax = 200

/** How often archives are looked for whose time is over, in milliseconds. */
export const exportGcEveryMs = 10 * minuteMs

/** How often tokens and results are deleted that nobody can use any more, in milliseconds. */
export const cleanUpEveryMs = 10 * minuteMs

/** How often hosts are looked at for events that relays should fetch, in milliseconds. */
export const crawlLookEveryMs = 5 * secondMs

/** How often a relay is asked to crawl a host at most, in milliseconds: a relay that listens needs no reminder. */
export const crawlEveryMs = 20 * minuteMs

/** How long a relay may take to answer, in milliseconds. */
export const crawlTimeoutMs = 10 * secondMs
