import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Resolves to the first truthy value that the condition returns, asking again every 25 ms.
 *
 * @throws {Error} if that takes longer than `timeoutMs` (default 30,000); the message names what was awaited.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  options: { what: string; timeoutMs?: number },
): Promise<NonNullable<T>> {
  const timeoutMs = options.timeoutMs ?? 30_000
  const start = performance.now()
  for (;;) {
    const value = await condition()
    if (value) return value
    if (performance.now() - start > timeoutMs)
      throw new Error(`gave up after ${timeoutMs} ms waiting for ${options.what}`)
    await sleep(25)
  }
}
