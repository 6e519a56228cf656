import { type TestDatabase, createTestDatabase } from '@rookery/testkit'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import {
  AccountReader,
  AccountTakedownError,
  ExpiredTokenError,
  InvalidLoginError,
  PasswordHasher,
  type Session,
  changeAccountStatus,
  endSession,
  refreshSession,
  signIn,
} from '../src/index.ts'
import { type SeedHost, policyOf, seedHost, signUp, tokens, wrapper } from './seed.ts'

const passwords = new PasswordHasher(2)
const password = 'correct horse'
let db: TestDatabase
let host: SeedHost
let other: SeedHost

beforeAll(async () => {
  db = await createTestDatabase()
  host = await seedHost(db.database, 'one')
  other = await seedHost(db.database, 'two')
  const passwordHash = await passwords.hash(password)
  await signUp(db.database, host, 'alice', { passwordHash })
  await signUp(db.database, host, 'bob', { passwordHash })
})
afterAll(() => db[Symbol.asyncDispose]())

function login(
  identifier: string,
  options: { allowTakendown?: boolean; host?: SeedHost; password?: string } = {},
) {
  return signIn({ db: db.database, passwords, tokens, wrapper, policyOf }, options.host ?? host, {
    identifier,
    password: options.password ?? password,
    allowTakendown: options.allowTakendown ?? false,
  })
}

async function refresh(token: string): Promise<Session> {
  const claims = tokens.verifyRefresh(host.serviceDid, token)
  return refreshSession(
    { db: db.database, tokens, policyOf, accounts: new AccountReader(db.pool) },
    host,
    claims,
  )
}

function idOf(session: Session): string | undefined {
  return decodeJwt(session.refreshJwt).jti
}

describe('signIn', () => {
  test.each(['alice.example', '@Alice.Example', 'did:plc:alice', 'Alice@Mail.Example'])(
    'takes %s',
    async (name) => {
      expect((await login(name)).account.did).toBe('did:plc:alice')
    },
  )

  test('answers a wrong password, an unknown account and another host alike', async () => {
    const attempts = [
      login('alice.example', { password: 'wrong' }),
      login('nobody.example'),
      login('alice.example', { host: other }),
      login('alice.example', { password: 'x'.repeat(513) }),
    ]
    for (const outcome of await Promise.allSettled(attempts)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: new InvalidLoginError() })
    }
  })

  test('lets a deactivated account in, and a taken-down one only for what it may do', async () => {
    const { account } = await login('bob.example')
    await changeAccountStatus({ db: db.database }, account.id, { deactivated: { deleteAfter: null } })
    expect((await login('bob.example')).account.status).toBe('deactivated')
    await changeAccountStatus({ db: db.database }, account.id, { takedown: { ref: 'case 1' } })
    await expect(login('bob.example')).rejects.toThrow(AccountTakedownError)
    await expect(login('bob.example', { allowTakendown: true, password: 'wrong' })).rejects.toThrow(
      InvalidLoginError,
    )
    const limited = await login('bob.example', { allowTakendown: true })
    expect(decodeJwt(limited.accessJwt)['scope']).toBe('com.atproto.takendown')
    await expect(refresh(limited.refreshJwt)).rejects.toThrow(AccountTakedownError)
    await changeAccountStatus({ db: db.database }, account.id, { takedown: null, deactivated: null })
    await expect(refresh(limited.refreshJwt)).rejects.toThrow(ExpiredTokenError)
  })
})

// SPEC AU-3
describe('refreshSession', () => {
  test('however many refresh at once, there is one successor', async () => {
    const { refreshJwt } = await login('alice.example')
    const sessions = await Promise.all(Array.from({ length: 10 }, () => refresh(refreshJwt)))
    expect(new Set(sessions.map(idOf)).size).toBe(1)
    expect(idOf(await refresh(refreshJwt))).toBe(idOf(sessions[0] as Session))
  })

  test('after the grace the old token is expired', async () => {
    const first = await login('alice.example')
    const second = await refresh(first.refreshJwt)
    await db.pool.query('update refresh_token set expires_at = now() where id = $1', [idOf(first)])
    await expect(refresh(first.refreshJwt)).rejects.toThrow(ExpiredTokenError)
    expect(idOf(await refresh(second.refreshJwt))).not.toBe(idOf(second))
  })

  test('signing out ends the session, also for its predecessor within the grace', async () => {
    const first = await login('alice.example')
    const second = await refresh(first.refreshJwt)
    await endSession({ db: db.database }, host, tokens.verifyRefresh(host.serviceDid, second.refreshJwt))
    await expect(refresh(second.refreshJwt)).rejects.toThrow(ExpiredTokenError)
    await expect(refresh(first.refreshJwt)).rejects.toThrow(ExpiredTokenError)
  })

  test('a takedown ends every session', async () => {
    const { account } = await login('alice.example')
    const { refreshJwt } = await login('alice.example')
    await changeAccountStatus({ db: db.database }, account.id, { takedown: { ref: 'case 2' } })
    await expect(refresh(refreshJwt)).rejects.toThrow(AccountTakedownError)
    await changeAccountStatus({ db: db.database }, account.id, { takedown: null })
    await expect(refresh(refreshJwt)).rejects.toThrow(ExpiredTokenError)
  })
})
