import { expect, test } from 'vitest'

import { type CpuProfile, functionTimes, moduleTimes } from './cpu-profile.ts'

const frame = (functionName: string, url = '', lineNumber = 0) => ({ functionName, url, lineNumber })

const profile: CpuProfile = {
  nodes: [
    { id: 1, callFrame: frame('(root)'), children: [2, 5] },
    { id: 2, callFrame: frame('walk', 'file:///home/x/packages/repo/src/tree.ts', 9), children: [3] },
    { id: 3, callFrame: frame('walk', 'file:///home/x/packages/repo/src/tree.ts', 9), children: [4] },
    { id: 4, callFrame: frame('', 'file:///x/node_modules/.pnpm/cborg@4/node_modules/cborg/lib/a.js', 1) },
    { id: 5, callFrame: frame('(idle)') },
  ],
  samples: [4, 2, 3, 4, 5],
  timeDeltas: [700_000, 1_000, 2_000, 4_000, 50_000],
}

test('a function that calls itself is counted once in its total time', () => {
  const [inner, walk] = functionTimes([profile, profile])
  expect(inner).toEqual({ name: '(anonymous)', place: 'cborg/lib/a.js:2', selfMs: 8, totalMs: 8 })
  expect(walk).toEqual({ name: 'walk', place: 'packages/repo/src/tree.ts:10', selfMs: 6, totalMs: 14 })
})

test('idle time counts for nothing', () => {
  expect(functionTimes([profile]).some(({ name }) => name === '(idle)')).toBe(false)
})

test('modules are packages', () => {
  const sums = moduleTimes(functionTimes([profile])).filter(({ selfMs }) => selfMs > 0)
  expect(sums).toEqual([
    { name: 'cborg', selfMs: 4 },
    { name: 'packages/repo', selfMs: 3 },
  ])
})
