import type { Database, Queryable } from '@rookery/db'
import { createHost, createTenant } from '@rookery/tenants'
import { createLogger } from '@rookery/telemetry'

import {
  type CreateAccountDeps,
  type CreateAccountInput,
  type NewIdentity,
  type NewRepo,
  type SecretWrapper,
  type Session,
  SessionTokens,
  type SignInPolicy,
  createAccount,
} from '../src/index.ts'

/** A host with its tenant. */
export type SeedHost = { id: number; serviceDid: string; tenantId: number }

/** Wraps nothing: how secrets are wrapped is proven with the real wrapper, in the api. */
export const wrapper: SecretWrapper = {
  wrap: (secret, owner) => Buffer.concat([Buffer.from(`${owner}\0`), secret]),
  unwrap: (envelope, owner) => Buffer.from(envelope).subarray(Buffer.byteLength(owner) + 1),
}

/** What most tenants decide. */
export const policyOf = (): Promise<SignInPolicy> =>
  Promise.resolve({
    isSecondFactorRequired: false,
    areAppPasswordsAllowed: true,
    passwordSessionMs: null,
    trustedBrowserMs: 0,
  })

export const tokens = new SessionTokens({
  secret: 'a secret of at least thirty-two characters',
  accessTokenMs: 60_000,
  refreshTokenMs: 600_000,
})

/** Makes a tenant and its host. */
export async function seedHost(db: Database, name: string): Promise<SeedHost> {
  const tenant = await createTenant(db.kysely, { slug: name, name })
  const host = await createHost(db.kysely, { hostname: `${name}.example`, tenant: name })
  return { id: host.id, serviceDid: host.serviceDid, tenantId: tenant.id }
}

/** What createAccount needs; the repo is a head row without blocks. */
function signUpDeps(db: Database): CreateAccountDeps {
  return { db, log: createLogger('test', 'silent'), tokens, createRepo: insertHead }
}

/** An identity whose directory is the test's. */
export function identityOf(did: string, directory: Partial<NewIdentity> = {}): NewIdentity {
  return {
    did,
    signer: { didKey: 'did:key:zTest', sign: () => new Uint8Array(64) },
    storeSigningKey: async (tx, accountId) => {
      await tx.query('insert into signing_key (account_id, did_key, wrapped) values ($1, $2, $3)', [
        accountId,
        'did:key:zTest',
        Buffer.of(1),
      ])
    },
    register: () => Promise.resolve(),
    unregister: () => Promise.resolve(),
    ...directory,
  }
}

/** Signs `name` up on the host. */
export function signUp(
  db: Database,
  host: SeedHost,
  name: string,
  change: Partial<CreateAccountInput> = {},
): Promise<Session> {
  return createAccount(signUpDeps(db), {
    host,
    tenantId: host.tenantId,
    identity: identityOf(`did:plc:${name}`),
    handle: `${name}.example`,
    email: `${name}@mail.example`,
    passwordHash: null,
    inviteCode: null,
    ...change,
  })
}

async function insertHead(tx: Queryable, repo: NewRepo): Promise<void> {
  const { account, status, revAbove } = repo
  const rev = revAbove === undefined ? '3aaaaaaaaaaa2' : `${revAbove.slice(0, -1)}z`
  await tx.query(
    `insert into repo (account_id, host_id, did, status, rev, head, data, commit) values ($1, $2, $3, $4, $5, $6, $6, $6)`,
    [account.id, account.host_id, account.did, status, rev, Buffer.alloc(36)],
  )
}

/** Kinds of the account's queued events, in order. */
export async function queuedEvents(db: Database, accountId: number): Promise<string[]> {
  const { rows } = await db.pool.query<{ kind: string }>(
    'select kind from event_queue where account_id = $1 order by id',
    [accountId],
  )
  return rows.map(({ kind }) => kind)
}
