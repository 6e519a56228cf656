import { expect, test } from 'vitest'

import { startInternalServer } from './internal-server.ts'

test('answers for the process, and on the routes that it was given', async () => {
  let reason: string | undefined = 'starting'
  await using server = await startInternalServer({
    port: 0,
    address: '127.0.0.1',
    notReady: () => reason,
    routes: { '/ask': (query) => Promise.resolve([query.get('for') === 'a b' ? 200 : 404, 'answer\n']) },
  })
  const get = async (path: string): Promise<[number, string]> => {
    const answer = await fetch(`http://127.0.0.1:${server.port}${path}`)
    return [answer.status, await answer.text()]
  }
  expect(await get('/livez')).toEqual([200, 'ok\n'])
  expect(await get('/readyz')).toEqual([503, 'starting\n'])
  reason = undefined
  expect(await get('/readyz')).toEqual([200, 'ok\n'])
  expect(await get('/ask?for=a+b')).toEqual([200, 'answer\n'])
  expect(await get('/ask')).toEqual([404, 'answer\n'])
  expect(await get('/metrics')).toEqual([200, expect.stringContaining('# TYPE rookery_events_total counter')])
  server.drain()
  expect(await get('/readyz')).toEqual([503, 'draining\n'])
})
