import { describe, expect, test } from 'vitest'

import { Loop } from './loop.ts'

const never = (): never => {
  throw new Error('unexpected')
}

/** Resolves with the arguments of the first call. */
function callback<T>(): { called: Promise<T>; call: (value: T) => void } {
  const { promise, resolve } = Promise.withResolvers<T>()
  return { called: promise, call: resolve }
}

describe('Loop', () => {
  test('runs steps one after another, never two at once', async () => {
    let running = 0
    let most = 0
    let count = 0
    const enough = callback<void>()
    await using loop = new Loop({
      step: async () => {
        most = Math.max(most, ++running)
        await Promise.resolve()
        running--
        if (++count === 50) enough.call()
        return 0
      },
      onError: never,
    })
    loop.wake()
    await enough.called
    expect(most).toBe(1)
  })

  test('a wake ends the wait, and one during a step is not lost', async () => {
    let count = 0
    const third = callback<void>()
    await using loop = new Loop({
      step: () => {
        count++
        if (count === 1) loop.wake()
        if (count === 2) setImmediate(() => loop.wake())
        if (count === 3) third.call()
        return Promise.resolve(3_600_000)
      },
      onError: never,
    })
    await third.called
    expect(count).toBe(3)
  })

  test('backs off twice as long after each failure, with jitter, and starts over after a success', async () => {
    const waits: number[] = []
    let count = 0
    const done = callback<void>()
    await using loop = new Loop({
      step: () => {
        count++
        if (count === 4) return Promise.resolve(1)
        if (count === 6) done.call()
        return Promise.reject(new Error('broken'))
      },
      onError: (_error, backoffMs) => waits.push(backoffMs),
      backoffMsMin: 2,
      backoffMsMax: 5,
      random: () => 0.999_999,
    })
    await done.called
    await loop[Symbol.asyncDispose]()
    expect(waits.map(Math.round).slice(0, 4)).toEqual([2, 4, 5, 2])
  })

  test('disposal waits for the running step and stops for good', async () => {
    const started = callback<AbortSignal>()
    const finish = callback<void>()
    let finished = false
    const loop = new Loop({
      step: async (signal) => {
        started.call(signal)
        await finish.called
        finished = true
        return 0
      },
      onError: never,
    })
    const signal = await started.called
    const disposed = loop[Symbol.asyncDispose]()
    expect(signal.aborted).toBe(true)
    finish.call()
    await disposed
    expect(finished).toBe(true)
  })
})
