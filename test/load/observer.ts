/** Is told when the measured part of a case begins and when it has ended. */
export type WindowObserver = {
  begin(): Promise<void>
  /** @param operations what was done in between. */
  end(operations: number): Promise<void>
}

/** Sees nothing and costs nothing. */
export const noObserver: WindowObserver = {
  begin: () => Promise.resolve(),
  end: () => Promise.resolve(),
}
