import { expect, test } from 'vitest'

import { breakingStatements } from './additive.ts'
import { projectFiles } from './project-files.ts'

/** What does more than add and was looked at: by the beginning of the sentence, with the reason. */
const allowed = {
  '0020-invite.ts: create index': 'tables of invites are small',
  '0024-tenant-usage.ts: create index': 'a row for each account with blobs: built within a second',
  '0025-blob-quota.ts: drop constraint': 'put back at once, with one state more',
  '0025-blob-quota.ts: add constraint': 'of the checked states, which the one before guaranteed',
  '0025-blob-quota.ts: create or replace function store_blob': 'the old arguments, without quotas',
  '0032-factor.ts: drop constraint': 'put back at once, with one purpose more',
  '0032-factor.ts: add constraint': 'tokens that are mailed live for minutes: the table is small',
  '0050-session-policy.ts: create index': 'of rows that there are none of before it',
  '0059-fewer-steps.ts: drop constraint': 'no version writes other kinds and states',
}

const migrations = projectFiles('.ts').filter(({ path }) => /packages\/db\/src\/migrations\/\d/.test(path))

test('migrations only add to the schema', () => {
  expect(migrations.length).toBeGreaterThan(20)
  expect(breakingStatements(migrations, allowed)).toEqual([])
})

test('every exception is one that a migration makes', () => {
  const needed = (key: string): boolean =>
    breakingStatements(migrations, {}).some((sentence) => sentence.startsWith(key))
  expect(Object.keys(allowed).filter((key) => !needed(key))).toEqual([])
})

test.each([
  ['drop table repo', 1],
  ['alter table repo drop column head', 1],
  ['alter table repo rename to repository', 1],
  ['alter table repo alter column rev type bigint', 1],
  ['alter table repo alter column rev set not null', 1],
  ['alter table repo add column size bigint not null', 1],
  ['alter table repo add column size bigint not null default 0', 0],
  ['alter table repo add column size bigint default 0 not null', 0],
  ['alter table repo add column size bigint', 0],
  ['alter table repo add constraint small check (size < 10)', 1],
  ['alter table repo add constraint small check (size < 10) not valid', 0],
  ['create index repo_rev on repo (rev)', 1],
  ['create table thing (id bigint not null)', 0],
  ['create table thing (id bigint); create index thing_id on thing (id)', 0],
  ['create or replace function commit_batch() returns int', 1],
])('the check judges: %s', (statement, problems) => {
  const file = { path: '0099-x.ts', text: `await sql\`${statement}\`.execute(db)` }
  expect(breakingStatements([file], {})).toHaveLength(problems)
})
