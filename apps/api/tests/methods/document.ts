import { basename } from 'node:path'

import { bundledIds, bundledLexicons } from '@rookery/lexicon'

import { type Access, accessOf, callers } from '../access-cases.ts'
import { type Victim, attempts, otherRoutes } from '../isolation-cases.ts'
import { bucketsOf, oauthRuleOf } from './declarations.ts'
import { notServed } from './not-served.ts'
import { servedMethods, testFinder } from './source-files.ts'

const firehose = 'com.atproto.sync.subscribeRepos'
const lexicons = bundledLexicons()
const nobody = new Proxy({}, { get: () => '' }) as Victim

/** Returns the methods of com.atproto in the lexicons, without those that are served. */
export function unservedMethods(): string[] {
  return bundledIds().filter(
    (id) => id.startsWith('com.atproto.') && id !== firehose && !(id in attempts) && lexicons.methodOf(id),
  )
}

/** Returns the methods that the code does not describe, or that no test calls. */
export function unknownMethods(): string[] {
  const [served, testsOf] = [servedMethods(), testFinder()]
  return methods().filter((nsid) => !served.has(nsid) || testsOf(nsid).length === 0)
}

/** Returns docs/methods.md: every method and route, who may call it, and where its code and its tests are. */
export function methodsDocument(): string {
  return [
    '# Methods and routes\n',
    'Generated from the code, the lexicons and the tests; do not edit, run `pnpm gen`.\n',
    `${methods().length} XRPC methods are served here. Besides what the table says, every request takes a point from ` +
      'the bucket `global-ip`, parameters and bodies are checked against the lexicon, and the tests ' +
      `${everyMethodTests.map(link).join(', ')} call every method. The numbers of each bucket are in ` +
      '[configuration](configuration.md), and every error’s status in the ' +
      '[error map](../packages/http/src/error-map.ts).\n',
    ...groups().map(groupTable),
    forwarded(),
    table(
      'Routes that are no method',
      ['route', 'serves'],
      Object.entries(otherRoutes).map(([url, what]) => [code(url), what]),
    ),
    table(
      'Not served',
      ['method', 'why'],
      Object.entries(notServed).map(([name, why]) => [code(name.replace(/\.$/, '.*')), why]),
    ),
    accessTable(),
  ].join('\n')
}

const everyMethodTests = ['access', 'isolation', 'fuzz/methods'].map(
  (name) => `apps/api/tests/${name}.test.ts`,
)

function methods(): string[] {
  return [...Object.keys(attempts).filter((nsid) => nsid !== ':nsid'), firehose].sort()
}

function groups(): string[] {
  return [...new Set(methods().map(groupOf))]
}

function groupOf(nsid: string): string {
  return nsid.replace(/\.\w+$/, '')
}

function groupTable(group: string): string {
  const [served, testsOf] = [servedMethods(), testFinder()]
  const rows = methods()
    .filter((nsid) => groupOf(nsid) === group)
    .map((nsid) => {
      const { path, description } = served.get(nsid) ?? { path: '', description: '' }
      const { errors = [] } = lexicons.methodOf(nsid) ?? {}
      return [
        `[${nsid.slice(group.length + 1)}](../${path})`,
        description,
        nsid === firehose ? 'anybody' : access(attempts[nsid]!(nobody).access),
        oauth(nsid),
        bucketsOf(nsid).map(code).join(' '),
        errors.map(code).join(' '),
        testsOf(nsid).map(link).join(' '),
      ]
    })
  return table(group, ['method', 'does', 'who', 'OAuth', 'rate limits', 'errors of its own', 'tests'], rows)
}

function forwarded(): string {
  return (
    '## Everything else\n\nEvery other method is [forwarded](../apps/api/src/proxy/catch-all.ts): `chat.bsky.*`, ' +
    '`tools.ozone.*`, the rest of `app.bsky.*`, and methods that are newer than this program. Who may call: ' +
    `${access('forwarded')}, by OAuth with \`rpc:(method)?aud=(service)\`. Tests: ` +
    `${['proxy', 'forwarded'].map((name) => link(`apps/api/tests/${name}.test.ts`)).join(', ')}.\n`
  )
}

function accessTable(): string {
  const rows = Object.entries(accessOf).map(([name, row]) => [
    `<a id="${name.toLowerCase()}"></a>${name}`,
    ...callers.map((caller) => (row[caller] === 'ok' ? 'ok' : code(row[caller]))),
  ])
  return table('Who may call', ['who', ...callers], rows)
}

function access(name: Access): string {
  return `[${name}](#who-may-call)`
}

function oauth(nsid: string): string {
  const { access: who } = nsid === firehose ? { access: 'anybody' } : attempts[nsid]!(nobody)
  if (who === 'writer') return code('repo:(collection)?action=(write)')
  if (who === 'forwarded' || nsid.startsWith('app.bsky.') || nsid === 'com.atproto.moderation.createReport') {
    return code('rpc:(method)?aud=(service)')
  }
  const rule = oauthRuleOf(nsid)
  if (rule === '') return 'yes'
  return rule === undefined ? '' : code(rule)
}

function link(path: string): string {
  return `[${basename(path, '.test.ts')}](../${path})`
}

function code(text: string): string {
  return `\`${text}\``
}

function table(title: string, head: readonly string[], rows: readonly string[][]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return `## ${title}\n\n${[line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')}\n`
}
