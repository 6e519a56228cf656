/** Longest record path (`collection/rkey`) in bytes (SPEC MST-10). */
export const pathBytesMax = 1_024

/**
 * Most entries in one tree node. A node holds four keys on average and a run of n keys of one layer comes by
 * chance with probability 0.75^n; only mined record keys get past a few hundred (SPEC MST-9).
 */
export const nodeEntriesMax = 4_096

/** Largest encoded tree node in bytes: no larger than the largest record, so that any block reader takes it. */
export const nodeBytesMax = 1_000_000

/** Largest signed commit in bytes: six short fields of which only the DID (at most 2,048 bytes) varies. */
export const commitBytesMax = 4_096

/** Longest DID in bytes. */
export const didBytesMax = 2_048

/** Most nodes that one walk or diff visits; the tree of 20 million records has about 7 million. */
export const treeNodesMax = 10_000_000

/** Most node bytes that one walk or diff reads. */
export const treeBytesMax = 4 * 1024 ** 3

/** Most records that one walk or diff yields. */
export const treeRecordsMax = 20_000_000

/** Nodes that a walk asks for together. */
export const walkBatchNodes = 256

/** Largest CAR header in bytes: room for about a hundred roots, of which only the first matters (SPEC CAR-1). */
export const carHeaderBytesMax = 4_096

/** Largest block of a CAR in bytes: 1 MiB, the largest record that any version of the protocol's guides allows. */
export const carBlockBytesMax = 1_048_576

/** Most blocks in a CAR, duplicates and unrelated ones included. */
export const carBlocksMax = 30_000_000

/** Largest CAR in bytes. */
export const carBytesMax = 8 * 1024 ** 3
