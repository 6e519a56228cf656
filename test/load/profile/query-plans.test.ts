import { expect, test } from 'vitest'

import { parsePlans } from './query-plans.ts'

const message = (ms: number, rows: number) => `2026-01-01 00:00:00.000 UTC [7] LOG:  duration: ${ms} ms  plan:
\tQuery Text: select a
\t  from t where id = $1
\tIndex Scan using t_pkey on t  (cost=0.15..8.17 rows=1 width=4) (actual time=0.01..0.01 rows=${rows} loops=1)
\t  Buffers: shared hit=3
`

test('reads each plan whole and keeps the middle one', () => {
  const log = `${message(3, 30)}2026-01-01 00:00:00.000 UTC [7] LOG:  something else\n${message(1, 10)}${message(2, 20)}`
  const [only, ...rest] = parsePlans(log)
  expect(rest).toEqual([])
  expect(only).toMatchObject({ query: 'select a\n  from t where id = $1', executions: 3, totalMs: 6 })
  expect(only?.plan).toContain('rows=20 loops=1')
  expect(only?.plan).toContain('Buffers: shared hit=3')
})

test('leaves out what never ran', () => {
  const log = [
    'LOG:  duration: 1 ms  plan:',
    '\tQuery Text: select 1',
    '\tAppend  (cost=0.15..8.17 rows=1 width=4) (actual time=0.01..0.01 rows=1 loops=1)',
    '\t  ->  Index Scan on t_1  (cost=0.15..8.17 rows=1 width=4) (never executed)',
    '\t        Index Cond: (id = 1)',
    '\t  ->  Index Scan on t_2  (cost=0.15..8.17 rows=1 width=4) (actual time=0.01..0.01 rows=1 loops=1)',
  ].join('\n')
  const [only] = parsePlans(log)
  expect(only?.plan).toContain('t_2')
  expect(only?.plan.split('\n')).toHaveLength(2)
})

test('a log without plans has none', () => {
  expect(parsePlans('2026-01-01 LOG:  duration: 3 ms  statement: select 1\n')).toEqual([])
})
