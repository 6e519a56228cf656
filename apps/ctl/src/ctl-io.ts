/** Where ctl writes to and what it is configured by. */
export type CtlIo = {
  out: (text: string) => void
  err: (text: string) => void
  /** Reads standard input to its end. Default: the process's own. */
  input?: () => Promise<string>
  /** Default: the process's own. */
  env?: NodeJS.ProcessEnv
}

/** How a run of ctl ended, as its exit code. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, found: 3 } as const
