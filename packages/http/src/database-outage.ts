/** Classes of SQLSTATE that say that the server is away or stopping. */
const outageStates = /^(08|57P)/

/** Those that say that it has no room (disk, memory, connections), failed to write, takes no writes, or took too long. */
const overloadStates = /^(53|58|25006|57014)/

/** What sockets say when nobody answers. */
const socketCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  'ENETUNREACH',
  'EHOSTUNREACH',
])

/** What `pg` says, without a code, of connections that ended or did not come about. */
const driverMessages =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/

/**
 * Tells whether the error means that PostgreSQL could not be reached or went away: the caller's to try again, not a
 * mistake of this program. Clients of other services wrap their socket errors in typed ones before they get here.
 */
export function isDatabaseOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = 'code' in error ? String(error.code) : ''
  // Of many addresses that were tried, the first speaks for all.
  if (error instanceof AggregateError && error.errors.length > 0) return isDatabaseOutage(error.errors[0])
  return (
    outageStates.test(code) ||
    socketCodes.has(code) ||
    driverMessages.test(error.message) ||
    isMissingSocket(error, code)
  )
}

/** Tells whether PostgreSQL answers but cannot do it now: another try may succeed, and it is no mistake of this program. */
export function isDatabaseOverloaded(error: Error): boolean {
  return 'code' in error && overloadStates.test(String(error.code))
}

/** SQLSTATEs of text that PostgreSQL does not hold: with a NUL, in a column or in JSON. */
const unstorableStates = new Set(['22021', '22P05'])

/** Tells whether PostgreSQL refused a text because it holds a NUL: the caller's mistake, wherever the text came in. */
export function isUnstorableText(error: Error): boolean {
  return 'code' in error && unstorableStates.has(String(error.code))
}

/** A server that listens on a Unix socket takes its file along when it ends. Other missing files are mistakes. */
function isMissingSocket(error: Error, code: string): boolean {
  return code === 'ENOENT' && 'syscall' in error && error.syscall === 'connect'
}
