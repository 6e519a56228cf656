import { describe, expect, test } from 'vitest'

import { Batcher } from './batcher.ts'

describe('Batcher', () => {
  test('asks together what comes in one turn, and answers each its own', async () => {
    const batches: number[][] = []
    const batcher = new Batcher<number, string>({
      run: (questions) => {
        batches.push([...questions])
        return Promise.resolve(questions.map(String))
      },
      batchMax: 3,
      inFlightMax: 2,
    })
    expect(await Promise.all([1, 2, 3, 4].map((n) => batcher.ask(n)))).toEqual(['1', '2', '3', '4'])
    expect(batches).toEqual([[1, 2, 3], [4]])
  })

  test('gathers while as many runs as allowed are under way', async () => {
    const runs: { questions: readonly number[]; finish: () => void }[] = []
    const batcher = new Batcher<number, number>({
      run: (questions) =>
        new Promise((resolve) => {
          runs.push({ questions, finish: () => resolve(questions) })
        }),
      batchMax: 10,
      inFlightMax: 1,
    })
    const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
    const first = batcher.ask(1)
    await turn()
    const others = [batcher.ask(2), batcher.ask(3)]
    await turn()
    expect(runs).toHaveLength(1)
    runs[0]?.finish()
    await first
    await turn()
    expect(runs[1]?.questions).toEqual([2, 3])
    runs[1]?.finish()
    expect(await Promise.all(others)).toEqual([2, 3])
  })

  test('throws to each what its run threw, and goes on', async () => {
    let isBroken = true
    const batcher = new Batcher<number, number>({
      run: (questions) => (isBroken ? Promise.reject(new Error('away')) : Promise.resolve(questions)),
      batchMax: 10,
      inFlightMax: 1,
    })
    const failed = await Promise.allSettled([batcher.ask(1), batcher.ask(2)])
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    isBroken = false
    expect(await batcher.ask(3)).toBe(3)
  })
})
