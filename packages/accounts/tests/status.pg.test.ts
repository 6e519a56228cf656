import { type TestDatabase, createTestDatabase } from '@rookery/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import {
  type Account,
  ConflictingStatusError,
  ExpiredTokenError,
  InvalidTokenError,
  type StatusChange,
  assertEmailToken,
  changeAccountStatus,
  consumeEmailToken,
  deleteAccount,
  findAccountById,
  issueEmailToken,
  listAccountsToDelete,
} from '../src/index.ts'
import { emailTokenAttemptsMax } from '../src/limits.ts'
import { type SeedHost, queuedEvents, seedHost, signUp } from './seed.ts'

let db: TestDatabase
let host: SeedHost

beforeAll(async () => {
  db = await createTestDatabase()
  host = await seedHost(db.database, 'one')
})
afterAll(() => db[Symbol.asyncDispose]())

async function repoStatus(accountId: number): Promise<string | undefined> {
  const { rows } = await db.pool.query<{ status: string }>('select status from repo where account_id = $1', [
    accountId,
  ])
  return rows[0]?.status
}

function change(account: Account, changes: StatusChange): Promise<Account> {
  return changeAccountStatus({ db: db.database }, account.id, changes)
}

describe('changeAccountStatus', () => {
  test('keeps the precedence, tells the repo, and says so once', async () => {
    const { account } = await signUp(db.database, host, 'alice')
    const deleteAfter = new Date(Date.now() + 60_000)
    expect((await change(account, { deactivated: { deleteAfter } })).status).toBe('deactivated')
    expect((await change(account, { suspended: true })).status).toBe('suspended')
    expect((await change(account, { takedown: { ref: 'case' } })).status).toBe('takendown')
    expect(await repoStatus(account.id)).toBe('takendown')
    await change(account, { takedown: { ref: 'case' } })
    expect((await change(account, { takedown: null })).status).toBe('suspended')
    expect((await change(account, { suspended: false })).status).toBe('deactivated')
    expect((await change(account, { deactivated: null })).status).toBe('active')
    expect(await repoStatus(account.id)).toBe('active')
    const kinds = await queuedEvents(db.database, account.id)
    const changes = Array.from({ length: 5 }, () => 'account')
    expect(kinds).toEqual(['identity', 'account', ...changes, 'identity', 'account', 'sync'])
    expect((await findAccountById(db.pool, account.id))?.delete_after).toBeNull()
  })

  test('tells of the repo again when a takedown or suspension ends', async () => {
    const { account } = await signUp(db.database, host, 'zoe')
    await change(account, { suspended: true })
    await change(account, { suspended: false })
    expect(await queuedEvents(db.database, account.id)).toEqual([
      'identity',
      'account',
      'account',
      'account',
      'sync',
    ])
  })

  test('refuses to activate what is taken down, and changes nothing', async () => {
    const { account } = await signUp(db.database, host, 'bob')
    await change(account, { takedown: { ref: 'case' }, deactivated: { deleteAfter: null } })
    await expect(change(account, { deactivated: null })).rejects.toThrow(ConflictingStatusError)
    expect((await findAccountById(db.pool, account.id))?.deactivated_at).not.toBeNull()
  })

  test('waits for whoever holds the repo', async () => {
    const { account } = await signUp(db.database, host, 'carol')
    const writer = await db.pool.connect()
    await writer.query('begin')
    await writer.query('select 1 from repo where account_id = $1 for update', [account.id])
    const changing = change(account, { takedown: { ref: 'case' } })
    await expect
      .poll(async () => {
        const { rows } = await db.pool.query(
          `select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
        )
        return rows.length
      })
      .toBe(1)
    expect(await repoStatus(account.id)).toBe('active')
    await writer.query('commit')
    writer.release()
    expect((await changing).status).toBe('takendown')
  })
})

describe('deleteAccount', () => {
  test('leaves a tombstone, the event and the job, and no login, key or repo', async () => {
    const { account } = await signUp(db.database, host, 'dan')
    const scheduled: number[] = []
    const scheduleErasure = (_tx: unknown, { id }: Account): Promise<void> => {
      scheduled.push(id)
      return Promise.resolve()
    }
    await deleteAccount({ db: db.database, scheduleErasure }, account.id)
    expect(scheduled).toEqual([account.id])
    expect(await findAccountById(db.pool, account.id)).toBeUndefined()
    expect(await repoStatus(account.id)).toBeUndefined()
    expect(await queuedEvents(db.database, account.id)).toEqual(['identity', 'account', 'account'])
    const { rows } = await db.pool.query('select rev from account_tombstone where did = $1', [account.did])
    expect(rows).toEqual([{ rev: '3aaaaaaaaaaa2' }])
  })

  test('nothing happens if what allows it fails', async () => {
    const { account } = await signUp(db.database, host, 'eve')
    const deps = { db: db.database, scheduleErasure: () => Promise.resolve() }
    const deleting = deleteAccount(deps, account.id, () => Promise.reject(new InvalidTokenError('used')))
    await expect(deleting).rejects.toThrow(InvalidTokenError)
    expect(await repoStatus(account.id)).toBe('active')
  })

  test('an account whose time has come is listed', async () => {
    const { account } = await signUp(db.database, host, 'frank')
    await change(account, { deactivated: { deleteAfter: new Date(Date.now() - 1_000) } })
    expect(await listAccountsToDelete(db.pool, 10)).toContain(account.id)
  })
})

// SPEC EM-1, EM-2
describe('e-mail tokens', () => {
  const purpose = 'delete_account'

  async function issue(
    name: string,
  ): Promise<{ accountId: number; purpose: 'delete_account'; token: string }> {
    const { account } = await signUp(db.database, host, name)
    return { accountId: account.id, purpose, token: await issueEmailToken(db.pool, account.id, purpose) }
  }

  test('look like XXXXX-XXXXX, are read in any case and used once', async () => {
    const offered = await issue('gina')
    expect(offered.token).toMatch(/^[A-Z2-7]{5}-[A-Z2-7]{5}$/)
    const typed = { ...offered, token: ` ${offered.token.toLowerCase()} ` }
    await assertEmailToken(db.pool, typed)
    await consumeEmailToken(db.pool, typed)
    await expect(consumeEmailToken(db.pool, typed)).rejects.toThrow(InvalidTokenError)
    await expect(assertEmailToken(db.pool, typed)).rejects.toThrow(InvalidTokenError)
  })

  test('are good for their purpose and account only, and stored as a hash', async () => {
    const offered = await issue('hans')
    const someone = await issue('ilse')
    await expect(assertEmailToken(db.pool, { ...offered, purpose: 'plc_operation' })).rejects.toThrow(
      InvalidTokenError,
    )
    await expect(assertEmailToken(db.pool, { ...offered, accountId: someone.accountId })).rejects.toThrow(
      InvalidTokenError,
    )
    const { rows } = await db.pool.query<{ text: string }>(
      'select email_token::text as text from email_token',
    )
    expect(rows.some(({ text }) => text.includes(offered.token))).toBe(false)
  })

  test('expire after fifteen minutes', async () => {
    const offered = await issue('jack')
    await db.pool.query(
      `update email_token set requested_at = now() - interval '15 minutes' where account_id = $1`,
      [offered.accountId],
    )
    await expect(assertEmailToken(db.pool, offered)).rejects.toThrow(ExpiredTokenError)
  })

  test('die of emailTokenAttemptsMax wrong tries; a new one starts again', async () => {
    const offered = await issue('kate')
    for (let n = 1; n < emailTokenAttemptsMax; n++) {
      await expect(assertEmailToken(db.pool, { ...offered, token: 'AAAAA-AAAAA' })).rejects.toThrow(
        InvalidTokenError,
      )
    }
    await assertEmailToken(db.pool, offered)
    await expect(assertEmailToken(db.pool, { ...offered, token: 'AAAAA-AAAAA' })).rejects.toThrow(
      InvalidTokenError,
    )
    await expect(assertEmailToken(db.pool, offered)).rejects.toThrow(InvalidTokenError)
    const token = await issueEmailToken(db.pool, offered.accountId, purpose)
    await assertEmailToken(db.pool, { ...offered, token })
  })
})
