import { createLogger } from '@rookery/telemetry'
import { type TestDatabase, createTestDatabase } from '@rookery/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import {
  HostDirectory,
  InvalidTenancyError,
  TenancyConflictError,
  TenancyNotFoundError,
  TenantSuspendedError,
  addHandleDomain,
  countAccountsUnderDomain,
  createHost,
  createTenant,
  getTenant,
  listHosts,
  listTenants,
  removeHandleDomain,
  updateHost,
  updateTenant,
} from './index.ts'

let test_: TestDatabase
const db = () => test_.database.kysely

beforeAll(async () => {
  test_ = await createTestDatabase()
  await createTenant(db(), { slug: 'demo', name: 'Demo' })
  await createTenant(db(), { slug: 'school', name: 'School', settings: { inviteRequired: true } })
  await createHost(db(), { hostname: 'pds.example', tenant: 'demo' })
  await createHost(db(), { hostname: 'localhost:2583', tenant: 'school' })
})
afterAll(() => test_[Symbol.asyncDispose]())

describe('tenants', () => {
  test('have settings with defaults, and keep what a change does not name', async () => {
    const changed = await updateTenant(db(), 'school', { settings: { contactEmail: 'it@school.example' } })
    expect(changed.settings).toMatchObject({
      inviteRequired: true,
      contactEmail: 'it@school.example',
      appView: null,
    })
    expect(await getTenant(db(), 'school')).toEqual(changed)
  })

  test('refuse a taken slug, a malformed slug and a malformed setting', async () => {
    await expect(createTenant(db(), { slug: 'demo', name: 'Again' })).rejects.toThrow(TenancyConflictError)
    await expect(createTenant(db(), { slug: 'Not A Slug', name: 'x' })).rejects.toThrow(InvalidTenancyError)
    await expect(updateTenant(db(), 'demo', { settings: { termsOfServiceUrl: 'nowhere' } })).rejects.toThrow(
      InvalidTenancyError,
    )
    await expect(updateTenant(db(), 'nobody', { name: 'x' })).rejects.toThrow(TenancyNotFoundError)
    expect((await listTenants(db())).map(({ slug }) => slug)).toEqual(['demo', 'school'])
  })
})

describe('hosts', () => {
  test('get the did:web of their name, port and all', async () => {
    expect((await listHosts(db())).map(({ serviceDid, publicUrl }) => [serviceDid, publicUrl])).toEqual([
      ['did:web:localhost%3A2583', 'http://localhost:2583'],
      ['did:web:pds.example', 'https://pds.example'],
    ])
  })

  test('refuse a taken name, a URL of another host and an unknown tenant', async () => {
    await expect(createHost(db(), { hostname: 'PDS.example', tenant: 'demo' })).rejects.toThrow(
      TenancyConflictError,
    )
    await expect(
      createHost(db(), { hostname: 'a.example', tenant: 'demo', publicUrl: 'https://b.example' }),
    ).rejects.toThrow(InvalidTenancyError)
    await expect(createHost(db(), { hostname: 'a.example', tenant: 'nobody' })).rejects.toThrow(
      TenancyNotFoundError,
    )
  })
})

describe('handle domains', () => {
  test('belong to one tenant on one host; adding the same again changes nothing', async () => {
    const added = await addHandleDomain(db(), { domain: '.Test', hostname: 'pds.example', tenant: 'demo' })
    expect(await addHandleDomain(db(), { domain: '.test', hostname: 'pds.example', tenant: 'demo' })).toEqual(
      added,
    )
    await expect(
      addHandleDomain(db(), { domain: '.test', hostname: 'pds.example', tenant: 'school' }),
    ).rejects.toThrow(TenancyConflictError)
    await expect(
      addHandleDomain(db(), { domain: 'test', hostname: 'pds.example', tenant: 'demo' }),
    ).rejects.toThrow(InvalidTenancyError)
  })

  test('of several that fit a handle, the longest decides', async () => {
    await addHandleDomain(db(), { domain: '.school.test', hostname: 'localhost:2583', tenant: 'school' })
    await using directory = new HostDirectory(createLogger('test', 'silent'), db())
    await directory.refresh()
    expect((await directory.findHostOfHandle('alice.test'))?.hostname).toBe('pds.example')
    expect((await directory.findHostOfHandle('alice.school.test'))?.hostname).toBe('localhost:2583')
    expect(await directory.findHostOfHandle('alice.example.org')).toBeUndefined()
  })
})

describe('HostDirectory', () => {
  test('gives out a tenant that may act, and refuses a suspended and an unknown one', async () => {
    await using directory = new HostDirectory(createLogger('test', 'silent'), db())
    await directory.refresh()
    const { id } = await getTenant(db(), 'school')
    expect(await directory.getActiveTenant(id)).toMatchObject({ slug: 'school' })
    await updateTenant(db(), 'school', { status: 'suspended' })
    await directory.refresh()
    await expect(directory.getActiveTenant(id)).rejects.toThrow(TenantSuspendedError)
    await updateTenant(db(), 'school', { status: 'active' })
    await directory.refresh()
    await expect(directory.getActiveTenant(id)).resolves.toMatchObject({ status: 'active' })
    await expect(directory.getActiveTenant(99)).rejects.toThrow(TenancyNotFoundError)
  })

  test('serves a new host at once and a suspension after it was read', async () => {
    await using directory = new HostDirectory(createLogger('test', 'silent'), db())
    expect(await directory.findHost('new.example')).toBeUndefined()
    await createHost(db(), { hostname: 'new.example', tenant: 'demo' })
    await directory.refresh()
    expect(await directory.findHost('new.example')).toMatchObject({ status: 'active' })
    await updateHost(db(), 'new.example', { status: 'suspended' })
    await directory.refresh()
    expect(await directory.findHost('new.example')).toMatchObject({ status: 'suspended' })
  })

  test('refreshed while it reads, reads once more, for all who ask meanwhile', async () => {
    await using directory = new HostDirectory(createLogger('test', 'silent'), db())
    const { id } = await getTenant(db(), 'school')
    const early = directory.refresh()
    await Promise.resolve()
    await updateTenant(db(), 'school', { status: 'suspended' })
    await Promise.all([early, directory.refresh(), directory.refresh()])
    await expect(directory.getActiveTenant(id)).rejects.toThrow(TenantSuspendedError)
    await updateTenant(db(), 'school', { status: 'active' })
  })

  test('keeps its picture while the database is away', async () => {
    await using away = await createTestDatabase()
    await createTenant(away.database.kysely, { slug: 'demo', name: 'Demo' })
    await createHost(away.database.kysely, { hostname: 'pds.example', tenant: 'demo' })
    await using directory = new HostDirectory(createLogger('test', 'silent'), away.database.kysely)
    await directory.refresh()
    await away.pool.query('alter table host rename to hidden')
    await expect(directory.refresh()).rejects.toThrow(/host/)
    expect(await directory.findHost('pds.example')).toBeDefined()
  })
})

describe('removing a handle domain', () => {
  test('is refused while accounts have their handles under it, unless that is meant', async () => {
    const domain = '.leaving.example'
    await addHandleDomain(db(), { domain, hostname: 'pds.example', tenant: 'demo' })
    await test_.pool.query(
      `insert into account (host_id, tenant_id, did, handle)
       select host_id, tenant_id, 'did:plc:' || n, 'a' || n || handle
       from handle_domain, (values (1, '.leaving.example'), (2, 'leaving.example'), (3, '.other.example'))
         as given (n, handle)
       where domain = $1`,
      [domain],
    )
    expect(await countAccountsUnderDomain(db(), domain)).toBe(1)
    await expect(removeHandleDomain(db(), domain)).rejects.toThrow(TenancyConflictError)
    await removeHandleDomain(db(), domain, { evenIfUsed: true })
    await expect(removeHandleDomain(db(), domain)).rejects.toThrow(TenancyNotFoundError)
  })
})
