/**
 * Accounts of Rookery without sign-up requests: by the functions that sign-up itself uses, over connections that do
 * not wait for the disk, with one password hash for all and without the PLC directory. The rows are those of real
 * accounts: repo, signing key, events and session are each account's own.
 */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { PasswordHasher, SessionTokens, createAccount } from '@rookery/accounts'
import { Database } from '@rookery/db'
import { KeyWrapper, SigningKeys } from '@rookery/identity'
import { createRepo, processTidClock } from '@rookery/records'
import { must } from '@rookery/std'
import { createLogger } from '@rookery/telemetry'
import { listHosts } from '@rookery/tenants'

import { type Account, emailOf, password, toAccount } from '../fixtures/accounts.ts'

/** Accounts that are made at once, each over a connection of its own. */
const connections = 12

const base32 = 'abcdefghijklmnopqrstuvwxyz234567'
const dayMs = 24 * 60 * 60 * 1_000

/** Where to make them. */
export type SeedTarget = {
  databaseUrl: string
  /** The stack's folder, which holds its secrets. */
  dir: string
  /** Name of the host, with its port. */
  hostname: string
}

/** Makes an account for each handle; in the order in which they are done. */
export async function seedAccounts(target: SeedTarget, handles: readonly string[]): Promise<Account[]> {
  const log = createLogger('bench', 'warn')
  await using db = new Database(log, {
    url: withoutDiskWaits(target.databaseUrl),
    poolMax: connections,
    applicationName: 'bench',
  })
  const create = await accountCreator(target, db, log)
  const accounts: Account[] = []
  const left = handles.values()
  const lane = async () => {
    for (const handle of left) accounts.push(await create(handle))
  }
  await Promise.all(Array.from({ length: connections }, lane))
  return accounts
}

async function accountCreator(
  { dir, hostname }: SeedTarget,
  db: Database,
  log: ReturnType<typeof createLogger>,
): Promise<(handle: string) => Promise<Account>> {
  const secrets = JSON.parse(readFileSync(join(dir, 'secrets.json'), 'utf8')) as Record<string, string>
  const host = must((await listHosts(db.kysely)).find((each) => each.hostname === hostname))
  const wrapper = new KeyWrapper([Buffer.from(secrets['ROOKERY_KEY_ENCRYPTION_KEY'] ?? '', 'hex')])
  const signingKeys = new SigningKeys({ db, wrapper })
  const secret = secrets['ROOKERY_JWT_SECRET'] ?? ''
  const tokens = new SessionTokens({ secret, accessTokenMs: dayMs, refreshTokenMs: 90 * dayMs })
  const passwordHash = await new PasswordHasher(1).hash(password)
  const clock = processTidClock()
  return async (handle) => {
    const did = `did:plc:${randomText(24)}`
    const key = signingKeys.create()
    const session = await createAccount(
      {
        db,
        log,
        tokens,
        createRepo: async (tx, { account, status, signer, revAbove }) => {
          const sign = (bytes: Uint8Array) => signer.sign(bytes)
          await createRepo(tx, { accountId: account.id, hostId: host.id, did, status, sign, clock, revAbove })
        },
      },
      {
        host,
        tenantId: host.defaultTenantId,
        identity: {
          did,
          signer: key.signer,
          storeSigningKey: (tx, id) => key.store(tx, { id, did }),
          // An account whose DID is registered with it is active at once.
          register: () => Promise.resolve(),
        },
        handle,
        email: emailOf(handle),
        passwordHash,
        inviteCode: null,
      },
    )
    return toAccount({ did, handle, ...session })
  }
}

function withoutDiskWaits(databaseUrl: string): string {
  const url = new URL(databaseUrl)
  url.searchParams.set('options', '-c synchronous_commit=off')
  return url.href
}

function randomText(length: number): string {
  return [...randomBytes(length)].map((byte) => base32[byte % 32]).join('')
}
