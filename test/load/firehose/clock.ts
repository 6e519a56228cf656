/** Milliseconds of a clock that all processes of this machine share and nothing sets. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
