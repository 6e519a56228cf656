import { dayMs, hourMs, secondMs } from '@rookery/std'

/** How long the mail server may take to accept a connection, or to answer, in milliseconds. */
export const sendTimeoutMs = 15 * secondMs

/** How many connections to the mail server one process keeps. */
export const connectionsMax = 4

/** The window that limits on mail count in, in milliseconds. */
export const limitWindowMs = hourMs

/** How long it is known what became of a mail, in milliseconds. */
export const deliveryKeepMs = 30 * dayMs

/** Deliveries that one clean-up deletes. */
export const deliveriesDeletedMax = 5_000

/** Most deliveries, or suppressed addresses, on a page. */
export const listDeliveriesMax = 1_000

/** Longest message that a moderator may send, in bytes of UTF-8; it goes into a job, which takes 64 KiB. */
export const messageBytesMax = 40 * 1024

/** Longest subject of such a message, in UTF-16 code units. */
export const subjectLengthMax = 200

/** Longest error text that is kept of a mail, in characters. */
export const deliveryErrorLengthMax = 500
