import { setImmediate } from 'node:timers/promises'

/** Returns when the number has stayed the same for many turns of the event loop: nothing moves any more. */
export async function settled(read: () => number): Promise<void> {
  let last = read()
  for (let turn = 0; turn < 2_000; turn++) {
    await setImmediate()
    if (read() !== last) turn = 0
    last = read()
  }
}
