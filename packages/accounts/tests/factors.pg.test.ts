import { type TestDatabase, createTestDatabase, totpCode } from '@rookery/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import {
  type Account,
  FactorRefusedError,
  FactorRequiredError,
  InvalidTokenError,
  assertSecondFactor,
  beginTotp,
  confirmTotp,
  findAccountById,
  findPendingTotp,
  issueEmailToken,
  recoveryCodesMax,
  removeTotp,
  renewRecoveryCodes,
  setEmailFactor,
  totpFreeFailures,
} from '../src/index.ts'
import { type SeedHost, seedHost, signUp, wrapper } from './seed.ts'

let db: TestDatabase
let host: SeedHost
const told: string[] = []

beforeAll(async () => {
  db = await createTestDatabase()
  host = await seedHost(db.database, 'one')
})
afterAll(() => db[Symbol.asyncDispose]())

function deps() {
  const announce = (_tx: unknown, { handle }: Account) => Promise.resolve(void told.push(handle ?? ''))
  return { db: db.database, wrapper, announce }
}

async function person(name: string): Promise<Account> {
  return (await signUp(db.database, host, name)).account
}

async function withTotp(
  name: string,
): Promise<{ account: Account; secret: Buffer; used: string; codes: string[] }> {
  const account = await person(name)
  await beginTotp(deps(), account)
  const secret = (await findPendingTotp(deps(), account))!
  const used = totpCode(secret, Date.now() - 30_000)
  return { account, secret, used, codes: await confirmTotp(deps(), account, used) }
}

function offer(account: Account, code?: string, isRequired = false): Promise<void> {
  return assertSecondFactor(deps(), account, { code, isRequired })
}

describe('an authenticator app', () => {
  test('is no factor before a code of it was shown', async () => {
    const account = await person('begins')
    await beginTotp(deps(), account)
    await offer(account)
    await expect(confirmTotp(deps(), account, '000000')).rejects.toThrow(InvalidTokenError)
    await offer(account)
    expect(told).not.toContain('begins.example')
  })

  test('is asked for, each code good once, and none from before one that was used', async () => {
    const { account, secret, used } = await withTotp('app')
    await expect(offer(account)).rejects.toMatchObject({ code: 'FactorRequired', kinds: ['totp'] })
    await expect(offer(account, used)).rejects.toThrow(InvalidTokenError)
    const code = totpCode(secret, Date.now())
    const uses = await Promise.allSettled([
      offer(account, code),
      offer(account, ` ${code.slice(0, 3)} ${code.slice(3)}`),
    ])
    expect(uses.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(told).toContain('app.example')
  })

  test('wrong codes keep right ones from being looked at, for a while that doubles', async () => {
    const { account, secret, codes } = await withTotp('guessed')
    const wrong = ['000000', '111111'].find((code) => code !== totpCode(secret, Date.now()))!
    for (let n = 0; n <= totpFreeFailures; n++) {
      await expect(offer(account, wrong)).rejects.toThrow(InvalidTokenError)
    }
    await expect(offer(account, totpCode(secret, Date.now()))).rejects.toThrow(InvalidTokenError)
    const refusal = async () => {
      const { rows } = await db.pool.query<{ failures: number; seconds: number }>(
        `select failures, extract(epoch from refused_until - now())::integer as seconds from totp where account_id = $1`,
        [account.id],
      )
      return rows[0]!
    }
    expect(await refusal()).toMatchObject({ failures: totpFreeFailures + 1 })
    await db.pool.query('update totp set refused_until = now() where account_id = $1', [account.id])
    await expect(offer(account, wrong)).rejects.toThrow(InvalidTokenError)
    expect((await refusal()).seconds).toBeGreaterThan(30)
    // The owner has another way in.
    await offer(account, codes[0])
    await db.pool.query('update totp set refused_until = now() where account_id = $1', [account.id])
    await offer(account, totpCode(secret, Date.now()))
    expect((await refusal()).failures).toBe(0)
  })

  test('is not replaced, but taken away, and its recovery codes with it', async () => {
    const { account, codes } = await withTotp('drops')
    await expect(beginTotp(deps(), account)).rejects.toThrow(FactorRefusedError)
    await removeTotp(deps(), account)
    await offer(account)
    await expect(offer(account, codes[0], true)).rejects.toThrow(InvalidTokenError)
    await expect(renewRecoveryCodes(deps(), account)).rejects.toThrow(FactorRefusedError)
  })
})

describe('recovery codes', () => {
  test('stand in for the factor, each once, until there are new ones', async () => {
    const { account, codes } = await withTotp('recovers')
    expect(new Set(codes).size).toBe(recoveryCodesMax)
    const [first = '', second = ''] = codes
    const uses = await Promise.allSettled([offer(account, first), offer(account, first.toLowerCase())])
    expect(uses.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const renewed = await renewRecoveryCodes(deps(), account)
    await expect(offer(account, second)).rejects.toThrow(InvalidTokenError)
    await offer(account, renewed[0])
  })

  test('are the account’s own', async () => {
    const one = await withTotp('mine')
    const other = await withTotp('yours')
    await expect(offer(one.account, other.codes[0])).rejects.toThrow(InvalidTokenError)
  })
})

describe('codes by mail', () => {
  test('are a factor once the address is confirmed, and given up with a token that was mailed', async () => {
    const account = await person('mails')
    const on = { isOn: true, token: undefined }
    await expect(setEmailFactor(deps(), account.id, on)).rejects.toThrow(FactorRefusedError)
    await db.pool.query('update account set email_confirmed_at = now() where id = $1', [account.id])
    await setEmailFactor(deps(), account.id, on)
    const now = (await findAccountById(db.pool, account.id))!
    await expect(offer(now)).rejects.toMatchObject({ kinds: ['email'] })
    const code = await issueEmailToken(db.pool, account.id, 'sign_in')
    const uses = await Promise.allSettled([offer(now, code), offer(now, code)])
    expect(uses.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const off = { isOn: false, token: undefined }
    await expect(setEmailFactor(deps(), account.id, off)).rejects.toMatchObject({
      code: 'EmailTokenRequired',
    })
    const token = await issueEmailToken(db.pool, account.id, 'update_email')
    await setEmailFactor(deps(), account.id, { isOn: false, token })
    expect((await findAccountById(db.pool, account.id))?.email_auth_factor).toBe(false)
  })

  test('are asked for where the tenant wants a second factor and the account has none', async () => {
    const account = await person('must')
    await expect(offer(account, undefined, true)).rejects.toThrow(FactorRequiredError)
    const code = await issueEmailToken(db.pool, account.id, 'sign_in')
    await expect(offer(account, '123456', true)).rejects.toThrow(InvalidTokenError)
    await offer(account, code, true)
  })

  test('are none for who has an authenticator app only', async () => {
    const { account } = await withTotp('strict')
    const code = await issueEmailToken(db.pool, account.id, 'sign_in')
    await expect(offer(account, code)).rejects.toThrow(InvalidTokenError)
  })
})
