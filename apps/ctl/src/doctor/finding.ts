/** Something that is not as it has to be. */
export type Finding = {
  /** error: something does not work or is lost; warning: it will be, or somebody should look. */
  severity: 'error' | 'warning'
  /** Which check found it. */
  check: string
  /** Of what: a DID, a hostname, or `cluster`. */
  subject: string
  problem: string
  hint: string
}

/** Takes what a check finds. */
export type Report = (finding: Finding) => void

/** Returns what went wrong, and why that was, in one line. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause === undefined ? '' : `: ${reasonOf(error.cause)}`
  return `${error.message}${cause}`.replaceAll(/\s+/g, ' ')
}
