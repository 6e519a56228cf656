import { parseForeignDocument } from '@rookery/lexicon'
import { createLogger } from '@rookery/telemetry'
import { type TestDatabase, createTestDatabase } from '@rookery/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'

import { LexiconNotFoundError } from './errors.ts'
import { deleteOldLexicons, storeLexicon } from './lexicon-queries.ts'
import { LexiconResolver } from './lexicon-resolver.ts'
import { absenceMs, lexiconMaxMs, lexiconStaleMs, lookUpsMax } from './limits.ts'

const nsid = 'com.example.note'
const document = parseForeignDocument({ lexicon: 1, id: nsid, defs: { main: { type: 'token' } } })
const published = (cid: string) => ({ uri: `at://did:web:example.com/x/${nsid}`, cid, document })

let db: TestDatabase
let lookUps: number
/** Holds look-ups back until it resolves; what they then find is nothing. */
let authority: () => Promise<string[][]>

beforeAll(async () => {
  db = await createTestDatabase({ poolMax: 4 })
})
afterAll(() => db[Symbol.asyncDispose]())
beforeEach(async () => {
  await db.pool.query('delete from lexicon')
  lookUps = 0
  authority = () => Promise.resolve([])
})

/** One process of several. */
function start(): LexiconResolver {
  return new LexiconResolver({
    log: createLogger('test', 'silent'),
    db: db.database,
    sources: {
      resolveTxt: () => {
        lookUps++
        return authority()
      },
      identities: { resolveDid: () => Promise.reject(new Error('nobody')) },
      fetch: () => Promise.reject(new Error('nobody')),
    },
  })
}

async function age(column: 'fetched_at' | 'checked_at', ms: number): Promise<void> {
  await db.pool.query(`update lexicon set ${column} = now() - $1::bigint * interval '1 millisecond'`, [ms])
}

describe('LexiconResolver', () => {
  test('answers from the table that all processes share', async () => {
    await storeLexicon(db.pool, nsid, published('one'))
    for (const resolver of [start(), start()]) expect(await resolver.resolve(nsid)).toEqual(published('one'))
    expect(lookUps).toBe(0)
  })

  test('one look-up serves all who ask at once, and its outcome the other processes too', async () => {
    const resolver = start()
    const query = vi.spyOn(db.pool, 'query')
    const answers = await Promise.allSettled(Array.from({ length: 20 }, () => resolver.resolve(nsid)))
    // What is stored, and that there is none: each once.
    expect(query).toHaveBeenCalledTimes(2)
    query.mockRestore()
    expect(answers.every(({ status }) => status === 'rejected')).toBe(true)
    await expect(start().resolve(nsid)).rejects.toThrow(LexiconNotFoundError)
    expect(lookUps).toBe(1)
    await age('checked_at', absenceMs)
    await expect(start().resolve(nsid)).rejects.toThrow(LexiconNotFoundError)
    expect(lookUps).toBe(2)
  })

  test('a stale lexicon is answered while it is looked up anew, and outlasts a failure', async () => {
    await storeLexicon(db.pool, nsid, published('one'))
    await age('fetched_at', lexiconStaleMs)
    await age('checked_at', lexiconStaleMs)
    expect(await start().resolve(nsid)).toEqual(published('one'))
    await vi.waitFor(async () => {
      const { rows } = await db.pool.query<{ again: boolean }>(
        `select checked_at > now() - interval '1 minute' as again from lexicon`,
      )
      expect(rows).toEqual([{ again: true }])
    })
    expect(await start().resolve(nsid)).toEqual(published('one'))
    expect(lookUps).toBe(1)
  })

  test('one that has been away for lexiconMaxMs is not used any more', async () => {
    await storeLexicon(db.pool, nsid, published('one'))
    await age('fetched_at', lexiconMaxMs)
    await expect(start().resolve(nsid)).rejects.toThrow(LexiconNotFoundError)
    expect(lookUps).toBe(1)
  })

  test('looks up lookUpsMax at a time and refuses the next at once', async () => {
    let release = (): void => {}
    const held = new Promise<string[][]>((resolve) => {
      release = () => resolve([])
    })
    authority = () => held
    const resolver = start()
    const running = Array.from({ length: lookUpsMax }, (_, n) => resolver.resolve(`com.example.n${n}`))
    await vi.waitFor(() => expect(lookUps).toBe(lookUpsMax))
    await expect(resolver.resolve(nsid)).rejects.toThrow('too many are being looked up')
    release()
    await Promise.allSettled(running)
    await expect(resolver.resolve(nsid)).rejects.toThrow('names no DID')
  })

  test('asks nobody for what is no NSID', async () => {
    await expect(start().resolve('example')).rejects.toThrow(LexiconNotFoundError)
    expect(lookUps).toBe(0)
  })

  test('the clean-up deletes what counts no more', async () => {
    await storeLexicon(db.pool, nsid, published('one'))
    await expect(start().resolve('com.example.none')).rejects.toThrow(LexiconNotFoundError)
    expect(await deleteOldLexicons(db.pool)).toBe(0)
    await age('checked_at', absenceMs + 1_000)
    expect(await deleteOldLexicons(db.pool)).toBe(1)
    await age('checked_at', lexiconMaxMs + 1_000)
    expect(await deleteOldLexicons(db.pool)).toBe(1)
  })
})
