import { type Connection, CopyOut, copyOut } from '@rookery/db'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { type TestDatabase, createTestDatabase } from './test-database.ts'

let db: TestDatabase
beforeAll(async () => {
  db = await createTestDatabase()
})
afterAll(() => db[Symbol.asyncDispose]())

/** Rows whose second field has any length: none, more than a packet of the server, more than a read of the socket. */
const rows = (count: number, length: string) =>
  `select n::integer, convert_to(repeat(chr(97 + n % 26), ${length}), 'UTF8') from generate_series(0, ${count - 1}) n`

const copyOf = (query: string) => `copy (${query}) to stdout (format binary)`

async function withConnection<T>(run: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await db.pool.connect()
  try {
    return await run(connection)
  } finally {
    connection.release()
  }
}

test.each([
  ['no rows', 0, '1'],
  ['small rows', 20_000, 'n % 300'],
  ['rows of any size', 300, '(n * n * 37 % 200000)'],
  ['rows larger than what waits to be read', 3, '1500000'],
])('a copy reads %s as a query does, and the connection is free again', async (_, count, length) => {
  await withConnection(async (connection) => {
    const expected = await connection.query<[number, Buffer]>({ text: rows(count, length), rowMode: 'array' })
    const copied: [number, Buffer][] = []
    const copy = CopyOut.run(connection, copyOf(rows(count, length)))
    while (copy.next() || (await copy.fetch())) {
      const { bytes, start, end, fields } = copy
      expect(fields).toBe(2)
      copied.push([bytes.readInt32BE(start + 4), Buffer.from(bytes.subarray(start + 12, end))])
    }
    expect(await copy.fetch()).toBe(false)
    expect(copied.length).toBe(count)
    expect(
      copied.every(([n, text], i) => n === i && text.equals(expected.rows[i]?.[1] ?? Buffer.alloc(0))),
    ).toBe(true)
    const releasing = CopyOut.run(connection, copyOf(rows(count, length)), { areRowsCopied: true })
    const released = await texts(releasing)
    expect(released.length).toBe(count)
    expect(released.every((text, i) => copied[i]?.[1].equals(text))).toBe(true)
    const grouped = []
    for await (const group of copyOut(connection, copyOf(rows(count, length)))) grouped.push(...group)
    expect(grouped.every((row, i) => row[1]?.equals(copied[i]?.[1] ?? Buffer.alloc(0)))).toBe(true)
    expect(grouped.length).toBe(count)
    expect((await connection.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })
})

test('a copy whose reader copies rows gives their memory back', async () => {
  await withConnection(async (connection) => {
    const copy = CopyOut.run(connection, copyOf(rows(20_000, 'n % 300')), { areRowsCopied: true })
    const chunks = new Set<Buffer>()
    await texts(copy, chunks)
    expect(chunks.size).toBeGreaterThan(20)
    // All but copies of cut rows, which are small, and the end, which the connection reads on.
    expect([...chunks].slice(0, -1).filter(({ byteLength }) => byteLength > 1_000)).toHaveLength(0)
  })
})

test('what the server answers instead of rows, or in the middle of them, is thrown; the connection stays good', async () => {
  await withConnection(async (connection) => {
    const refused = CopyOut.run(connection, copyOf('select no_such_column'))
    await expect(refused.fetch()).rejects.toThrow('no_such_column')
    const failing = CopyOut.run(connection, copyOf('select 1 / (5000 - n) from generate_series(0, 9999) n'))
    let count = 0
    await expect(async () => {
      while (failing.next() || (await failing.fetch())) count++
    }).rejects.toThrow('division by zero')
    expect(count).toBe(5_000)
    expect((await connection.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })
})

test('a connection that ends in the middle of a copy fails it', async () => {
  const connection = await db.pool.connect()
  connection.on('error', () => {})
  const { rows: found } = await connection.query<{ pid: number }>('select pg_backend_pid() as pid')
  const copy = CopyOut.run(connection, copyOf(rows(1_000, '100000')))
  expect(await copy.fetch()).toBe(true)
  await db.pool.query('select pg_terminate_backend($1)', [found[0]?.pid])
  await expect(async () => {
    while (copy.next() || (await copy.fetch()));
  }).rejects.toThrow(Error)
  connection.release(true)
})

/** Returns copies of the second fields; notes what they lay in. */
async function texts(copy: CopyOut, chunks = new Set<Buffer>()): Promise<Buffer[]> {
  const found: Buffer[] = []
  while (copy.next() || (await copy.fetch())) {
    const { bytes, start, end } = copy
    chunks.add(bytes)
    found.push(Buffer.from(bytes.subarray(start + 12, end)))
  }
  return found
}
