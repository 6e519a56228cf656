/** Largest JSON body of a method without a limit of its own, in bytes (SPEC XR-8). */
export const jsonBytesMax = 150 * 1024

/** Smallest answer that is compressed, in bytes: less fits into one packet anyway. */
export const compressionBytesMin = 1_024

/** Longest request head (line and headers) that Node reads, in bytes. */
export const headBytesMax = 32 * 1024

/** How long a client may take to send the head of a request, in milliseconds. */
export const headersTimeoutMs = 30_000

/** How long an idle keep-alive connection stays open, in milliseconds; longer than the load balancer's own. */
export const keepAliveTimeoutMs = 90_000

/** How long a fetch to another server may take, in milliseconds. */
export const fetchTimeoutMs = 5_000

/** Largest answer of another server, in bytes. */
export const fetchBytesMax = 512 * 1024

/** What Retry-After asks for while the database is away, in seconds. */
export const outageRetrySeconds = 2

/** How long another service may take to accept a connection, in milliseconds. */
export const upstreamConnectTimeoutMs = 5_000

/** Requests to one service that a process has running, and to all of them: each holds a socket. */
export const upstreamRequestsPerOriginMax = 512
export const upstreamRequestsMax = 4_096

/** Largest error of another service that is read for its name and message, in bytes. */
export const upstreamErrorBytesMax = 64 * 1024
