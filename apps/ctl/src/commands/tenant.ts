import {
  InvalidTenancyError,
  type Tenant,
  captchaOwner,
  createTenant,
  getTenant,
  listTenants,
  setCaptchaSecret,
  updateTenant,
} from '@rookery/tenants'
import type { Command } from 'commander'

import { auditSetting } from '../accounts.ts'
import type { CtlContext } from '../context.ts'
import { openIdentity } from '../identity.ts'
import { addSettingOptions, settingsOf } from '../tenant-settings.ts'

/** `ctl tenant`. */
export function addTenantCommands(program: Command, context: CtlContext): void {
  const tenant = program.command('tenant').description('Customers: their name, policies and settings.')
  addSettingOptions(
    tenant
      .command('create <slug>')
      .description('Create a tenant.')
      .requiredOption('--name <name>', 'name that people see'),
  ).action(async (slug: string, options: Record<string, unknown> & { name: string }, command: Command) => {
    const input = { slug, name: options.name, settings: settingsOf(options) }
    const created = await createTenant(context.db.kysely, input)
    await auditSetting(context, { tenantId: created.id }, 'tenant create', changed(input))
    print(context, command, [created])
  })
  tenant
    .command('list')
    .description('List every tenant.')
    .action(async (_options: object, command: Command) =>
      print(context, command, await listTenants(context.db.kysely)),
    )
  tenant
    .command('show <slug>')
    .description('Show a tenant with every setting.')
    .action(async (slug: string, _options: object, command: Command) =>
      print(context, command, [await getTenant(context.db.kysely, slug)]),
    )
  addSettingOptions(
    tenant
      .command('edit <slug>')
      .description('Change a tenant; what is not given stays.')
      .option('--name <name>', 'name that people see'),
  ).action(async (slug: string, options: Record<string, unknown> & { name?: string }, command: Command) => {
    const change = {
      ...(options.name === undefined ? {} : { name: options.name }),
      settings: settingsOf(options),
    }
    const updated = await updateTenant(context.db.kysely, slug, change)
    await auditSetting(context, { tenantId: updated.id }, 'tenant edit', changed({ slug, ...change }))
    print(context, command, [updated])
  })
  addCaptchaSecret(tenant, context)
  addStatus(tenant, context, {
    name: 'suspend',
    status: 'suspended',
    effect:
      "Refuse the tenant's accounts to sign in, sign up and write. Their data stays, is served, and stays on the firehose.",
  })
  addStatus(tenant, context, { name: 'resume', status: 'active', effect: 'End a suspension.' })
}

/** Longest secret that is read, in characters; hCaptcha's have about 40. */
const captchaSecretLengthMax = 200

function addCaptchaSecret(tenant: Command, context: CtlContext): void {
  tenant
    .command('captcha-secret <slug>')
    .description(
      'Store the secret of the hCaptcha of a tenant, read from standard input; it is wrapped and never shown.',
    )
    .option('--remove', 'remove it instead')
    .action(async (slug: string, { remove }: { remove?: boolean }, command: Command) => {
      const { id, settings } = await getTenant(context.db.kysely, slug)
      const secret = remove === true ? undefined : (await context.readInput()).trim()
      if (secret === '' || (secret?.length ?? 0) > captchaSecretLengthMax) {
        throw new InvalidTenancyError('no usable secret on standard input')
      }
      using identity = openIdentity(context)
      const wrapped =
        secret === undefined ? null : identity.wrapper.wrap(Buffer.from(secret), captchaOwner({ id }))
      await setCaptchaSecret(context.db.pool, id, wrapped)
      await auditSetting(context, { tenantId: id }, 'tenant captcha-secret', {
        slug,
        isStored: wrapped !== null,
      })
      context.printOne(command, {
        slug,
        captchaSiteKey: settings.captchaSiteKey,
        secret: wrapped === null ? 'none' : 'stored',
      })
    })
}

function addStatus(
  tenant: Command,
  context: CtlContext,
  of: { name: string; status: Tenant['status']; effect: string },
): void {
  tenant
    .command(`${of.name} <slug>`)
    .description(of.effect)
    .action(async (slug: string, _options: object, command: Command) => {
      const updated = await updateTenant(context.db.kysely, slug, { status: of.status })
      await auditSetting(context, { tenantId: updated.id }, `tenant ${of.name}`, { slug })
      print(context, command, [updated])
    })
}

/** What an entry says of a change: of settings only which, for some are secret. */
function changed({ settings, ...rest }: { slug: string; name?: string; settings: object }): object {
  return { ...rest, settings: Object.keys(settings) }
}

function print(context: CtlContext, command: Command, tenants: Tenant[]): void {
  const isList = command.name() === 'list'
  const [first] = tenants
  const listed = tenants.map(({ slug, name, status, settings }) => ({
    slug,
    name,
    status,
    invites: settings.inviteRequired,
    contact: settings.contactEmail,
  }))
  // One tenant is shown whole: a line per setting.
  const whole = Object.entries({
    slug: first?.slug,
    name: first?.name,
    status: first?.status,
    ...first?.settings,
  }).map(([field, value]) => ({ field, value }))
  context.print(command, { value: isList ? tenants : first, rows: isList ? listed : whole })
}
