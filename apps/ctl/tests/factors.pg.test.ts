import { afterAll, beforeAll, expect, test } from 'vitest'

import { TestCluster } from './test-cluster.ts'

const alice = ['wren.people.com', '--host', 'pds.people.com'] as const

let cluster: TestCluster
beforeAll(async () => {
  cluster = await TestCluster.start()
})
afterAll(() => cluster[Symbol.asyncDispose]())

test('an operator lists and takes away what an owner lost; the owner and the audit log are told', async () => {
  const { id, did } = await cluster.addAccount('wren')
  const { pool } = cluster.db
  await pool.query(
    `update account set email = 'wren@mail.test', email_confirmed_at = now(), email_auth_factor = true where id = $1`,
    [id],
  )
  await pool.query(`insert into totp (account_id, wrapped, confirmed_at) values ($1, '', now())`, [id])
  await pool.query(`insert into recovery_code (account_id, code_hash) values ($1, 'x')`, [id])
  await pool.query(
    `insert into passkey (account_id, credential_id, host_id, public_key, counter, transports, name)
     select $1, 'key', host_id, '', 0, '{}', 'phone' from account where id = $1`,
    [id],
  )
  await pool.query(
    `insert into known_device (account_id, device_id, trusted_until) values ($1, 'dev-1', now() + interval '1 day')`,
    [id],
  )
  const all = ['authenticator', 'email-codes', 'recovery-codes', 'passkey:key']
  const list = async () =>
    (await cluster.json('account', 'factors', 'list', ...alice)).map(
      ({ factor }: { factor: string }) => factor,
    )
  expect(await list()).toEqual(all)
  await cluster.json('account', 'factors', 'remove', ...alice, '--all', '--dry-run')
  expect(await list()).toEqual(all)
  expect((await cluster.ctl('account', 'factors', 'remove', ...alice)).code).toBe(2)
  const removed = await cluster.json(
    'account',
    'factors',
    'remove',
    ...alice,
    '--factor',
    'authenticator',
    'nothing',
  )
  expect(removed).toMatchObject([{ factor: 'authenticator' }])
  expect(await list()).toEqual(all.slice(1))
  await cluster.json('account', 'factors', 'remove', ...alice, '--all')
  expect(await list()).toEqual([])
  const { rows: trusted } = await pool.query('select 1 from known_device where trusted_until > now()')
  expect(trusted).toEqual([])
  const { rows: mails } = await pool.query(`select payload from job_outbox where queue = 'mail'`)
  expect(mails).toHaveLength(2)
  const { rows: entries } = await pool.query(
    `select actor, detail from audit_entry where did = $1 and action = 'account factors remove' order by id`,
    [did],
  )
  expect(entries).toEqual([
    { actor: 'ctl', detail: { factors: ['authenticator'] } },
    { actor: 'ctl', detail: { factors: all.slice(1) } },
  ])
})
