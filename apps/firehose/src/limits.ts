/** Connections that one address may hold to one process; behind carrier NAT several consumers share one. */
export const connectionsPerIpMax = 100

/** Connections that one host's stream may have in one process. */
export const connectionsPerHostMax = 1_000

/** Largest message that a client may send, in bytes; all are ignored (SPEC EV-3). */
export const clientMessageBytesMax = 64 * 1024

/** When a refused client may come again, in seconds. */
export const retryAfterSeconds = 30

/** How long an idle connection stays before the kernel asks whether the peer lives, in milliseconds. */
export const keepAliveMs = 60_000

/** How long clients may take to answer the close of a draining process, in milliseconds; then they are cut off. */
export const closeGraceMs = 2_000
