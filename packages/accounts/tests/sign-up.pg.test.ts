import { type TestDatabase, createTestDatabase } from '@rookery/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import {
  DidNotAvailableError,
  EmailNotAvailableError,
  HandleNotAvailableError,
  InvalidInviteCodeError,
  createInviteCodes,
  deleteAccount,
  findAccountByHandle,
} from '../src/index.ts'
import { type SeedHost, identityOf, queuedEvents, seedHost, signUp } from './seed.ts'

let db: TestDatabase
let host: SeedHost
let other: SeedHost

beforeAll(async () => {
  db = await createTestDatabase({ poolMax: 12 })
  host = await seedHost(db.database, 'one')
  other = await seedHost(db.database, 'two')
})
afterAll(() => db[Symbol.asyncDispose]())

async function claims(): Promise<number> {
  const { rows } = await db.pool.query<{ count: number }>('select count(*) from account_claim')
  return rows[0]?.count ?? -1
}

async function makeInvite(uses: number): Promise<string> {
  const made = await createInviteCodes(db.pool, {
    hostId: host.id,
    tenantId: host.tenantId,
    hostname: 'one.example',
    uses,
    codesPerAccount: 1,
    forAccounts: ['admin'],
    createdBy: 'admin',
  })
  return made[0]?.codes[0] ?? ''
}

describe('createAccount', () => {
  // SPEC SYN-12
  test('makes an active account with #identity and then #account', async () => {
    const { account, accessJwt, refreshJwt } = await signUp(db.database, host, 'alice')
    expect(account).toMatchObject({ did: 'did:plc:alice', handle: 'alice.example', status: 'active' })
    expect(accessJwt).not.toBe(refreshJwt)
    expect(await queuedEvents(db.database, account.id)).toEqual(['identity', 'account'])
    expect(await claims()).toBe(0)
  })

  test('of twenty sign-ups for one handle exactly one registers a DID', async () => {
    let registered = 0
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, n) =>
        signUp(db.database, host, 'wanted', {
          email: `wanted${n}@mail.example`,
          identity: identityOf(`did:plc:wanted${n}`, {
            register: () => {
              registered++
              return Promise.resolve()
            },
          }),
        }),
      ),
    )
    const losers = outcomes.filter((outcome) => outcome.status === 'rejected')
    expect(losers).toHaveLength(19)
    expect(losers.every(({ reason }) => reason instanceof HandleNotAvailableError)).toBe(true)
    expect(registered).toBe(1)
    expect(await claims()).toBe(0)
  })

  test('the same handle and address are free on another host', async () => {
    const { account } = await signUp(db.database, other, 'alice')
    expect(account.host_id).toBe(other.id)
  })

  test('tells a taken address and DID apart', async () => {
    const address = signUp(db.database, host, 'alice2', { email: 'alice@mail.example' })
    await expect(address).rejects.toThrow(EmailNotAvailableError)
    const did = signUp(db.database, host, 'alice3', { identity: identityOf('did:plc:alice') })
    await expect(did).rejects.toThrow(DidNotAvailableError)
    expect(await claims()).toBe(0)
  })

  // SPEC ACC-1
  test('a directory that refuses leaves nothing behind, and nothing is tombstoned', async () => {
    let tombstones = 0
    const identity = identityOf('did:plc:refused', {
      register: () => Promise.reject(new Error('no')),
      unregister: () => {
        tombstones++
        return Promise.resolve()
      },
    })
    await expect(signUp(db.database, host, 'refused', { identity })).rejects.toThrow('no')
    expect(tombstones).toBe(0)
    expect(await claims()).toBe(0)
    expect(await findAccountByHandle(db.pool, host.id, 'refused.example')).toBeUndefined()
    await signUp(db.database, host, 'refused')
  })

  // SPEC ACC-1
  test('a DID that was registered is tombstoned when the account can not be stored', async () => {
    let tombstones = 0
    const identity = identityOf('did:plc:unstored', {
      storeSigningKey: () => Promise.reject(new Error('disk full')),
      unregister: () => {
        tombstones++
        return Promise.resolve()
      },
    })
    await expect(signUp(db.database, host, 'unstored', { identity })).rejects.toThrow('disk full')
    expect(tombstones).toBe(1)
    expect(await claims()).toBe(0)
  })

  test('a claim whose process died blocks the handle until it expires, and no longer', async () => {
    await db.pool.query(
      `insert into account_claim (host_id, did, handle, email, expires_at)
       values ($1, 'did:plc:dead', 'revived.example', null, now() + interval '1 minute')`,
      [host.id],
    )
    await expect(signUp(db.database, host, 'revived')).rejects.toThrow(HandleNotAvailableError)
    await db.pool.query(`update account_claim set expires_at = now() - interval '1 second'`)
    await signUp(db.database, host, 'revived')
    expect(await claims()).toBe(0)
  })

  // SPEC ST-4, ACC-2
  test('an account from elsewhere starts deactivated and without events', async () => {
    const { did, signer, storeSigningKey } = identityOf('did:web:carol.example')
    const { account } = await signUp(db.database, host, 'carol', {
      identity: { did, signer, storeSigningKey },
    })
    expect(account.status).toBe('deactivated')
    expect(account.delete_after?.getTime()).toBeGreaterThan(Date.now())
    expect(await queuedEvents(db.database, account.id)).toEqual([])
  })

  // SPEC REP-3, ACC-10
  test('a returning DID continues above the rev it had', async () => {
    const { account } = await signUp(db.database, host, 'returning')
    await deleteAccount({ db: db.database, scheduleErasure: () => Promise.resolve() }, account.id)
    const again = await signUp(db.database, host, 'returning')
    const { rows } = await db.pool.query<{ rev: string }>('select rev from repo where account_id = $1', [
      again.account.id,
    ])
    expect(rows[0]?.rev).toBe('3aaaaaaaaaaaz')
    expect(again.account.id).not.toBe(account.id)
  })
})

describe('invite codes', () => {
  test('are used as often as they are good for, however many ask at once', async () => {
    const inviteCode = await makeInvite(2)
    const outcomes = await Promise.allSettled(
      Array.from({ length: 6 }, (_, n) => signUp(db.database, host, `invited${n}`, { inviteCode })),
    )
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(2)
    const losers = outcomes.filter((outcome) => outcome.status === 'rejected')
    expect(losers.every(({ reason }) => reason instanceof InvalidInviteCodeError)).toBe(true)
  })

  test('are not used up by a sign-up that fails', async () => {
    const inviteCode = await makeInvite(1)
    const identity = identityOf('did:plc:fails', { register: () => Promise.reject(new Error('no')) })
    await expect(signUp(db.database, host, 'fails', { identity, inviteCode })).rejects.toThrow('no')
    await signUp(db.database, host, 'succeeds', { inviteCode })
  })

  test('of another host or tenant are refused', async () => {
    const inviteCode = await makeInvite(1)
    await expect(signUp(db.database, other, 'stranger', { inviteCode })).rejects.toThrow(
      InvalidInviteCodeError,
    )
  })
})
