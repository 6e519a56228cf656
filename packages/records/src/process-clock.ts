import { TidClock } from '@rookery/syntax'

/** Returns this process's clock for revs and record keys: its clock id tells it from others'. */
export function processTidClock(): TidClock {
  const nowMicros = (): number => Math.floor((performance.timeOrigin + performance.now()) * 1_000)
  return new TidClock(nowMicros, Math.floor(Math.random() * 1_024))
}
