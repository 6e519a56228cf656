import type { Command } from 'commander'

import type { CtlContext } from './context.ts'

/** A command, or a group of them: what the help says of it, and what adds all of it to a program. */
export type Group = {
  name: string
  description: string
  load: () => Promise<(program: Command, context: CtlContext) => void>
}

/** All of them, in the order of the help. Each is loaded only when it is called: most of ctl's time is for that. */
export const groups: readonly Group[] = [
  {
    name: 'migrate',
    description:
      'Bring the database schema up to this version. Safe to run twice, at once, and while pods serve.',
    load: async () => (await import('./commands/migrate.ts')).addMigrateCommand,
  },
  {
    name: 'host',
    description: 'PDS hostnames: each is a complete server on the network.',
    load: async () => (await import('./commands/host.ts')).addHostCommands,
  },
  {
    name: 'tenant',
    description: 'Customers: their name, policies and settings.',
    load: async () => (await import('./commands/tenant.ts')).addTenantCommands,
  },
  {
    name: 'domain',
    description: "Handle domains: under which a tenant's accounts have handles.",
    load: async () => (await import('./commands/domain.ts')).addDomainCommands,
  },
  {
    name: 'account',
    description: 'Accounts: look at them, suspend, take down, delete.',
    load: async () => (await import('./commands/account.ts')).addAccountCommands,
  },
  {
    name: 'session',
    description: 'Where an account is signed in.',
    load: async () => (await import('./commands/session.ts')).addSessionCommands,
  },
  {
    name: 'record',
    description: 'Records: how one stands, take it down.',
    load: async () => (await import('./commands/record.ts')).addRecordCommands,
  },
  {
    name: 'blob',
    description: 'Blobs of an account: look at one, take it down, purge it.',
    load: async () => (await import('./commands/blob.ts')).addBlobCommands,
  },
  {
    name: 'usage',
    description: 'How many bytes of blobs there are, and may be.',
    load: async () => (await import('./commands/usage.ts')).addUsageCommands,
  },
  {
    name: 'invite',
    description: 'Invite codes for sign-up.',
    load: async () => (await import('./commands/invite.ts')).addInviteCommands,
  },
  {
    name: 'keys',
    description: 'Keys: what wraps the secrets, the PLC rotation key, and the keys that sign repos.',
    load: async () => (await import('./commands/keys.ts')).addKeysCommands,
  },
  {
    name: 'doctor',
    description:
      'Look for what is not as it has to be: cluster and hosts, and accounts if asked to. Changes nothing. Exit code 3 if there is something.',
    load: async () => (await import('./commands/doctor.ts')).addDoctorCommand,
  },
  {
    name: 'repo',
    description: 'Repos: repair what `ctl doctor` found.',
    load: async () => (await import('./commands/repo.ts')).addRepoCommands,
  },
  {
    name: 'archive',
    description: 'Accounts as directories: repo, blobs, preferences, and who it is. No passwords, no keys.',
    load: async () => (await import('./commands/archive.ts')).addArchiveCommands,
  },
  {
    name: 'audit',
    description:
      'What operators and moderation services did to accounts and hosts, or to tenants, the latest first.',
    load: async () => (await import('./commands/audit.ts')).addAuditCommand,
  },
  {
    name: 'jobs',
    description: 'Background jobs: what waits, what failed, what was given up.',
    load: async () => (await import('./commands/jobs.ts')).addJobsCommands,
  },
  {
    name: 'mail',
    description: 'Mail: what became of it, addresses that get none, how it looks.',
    load: async () => (await import('./commands/mail.ts')).addMailCommands,
  },
  {
    name: 'crawl',
    description: 'Ask relays to crawl hosts. A worker does it; see `ctl jobs list --queue crawl-request`.',
    load: async () => (await import('./commands/crawl.ts')).addCrawlCommand,
  },
  {
    name: 'completion',
    description: 'Print a script that has a shell complete the command line.',
    load: async () => (await import('./commands/completion.ts')).addCompletionCommands,
  },
]
