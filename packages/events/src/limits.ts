/** Largest frame, in bytes: a larger one makes every relay drop the connection for ever (SPEC EV-9). */
export const frameBytesMax = 5_000_000
