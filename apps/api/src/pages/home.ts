import { must } from '@rookery/std'
import type { HostDirectory } from '@rookery/tenants'
import type { FastifyInstance } from 'fastify'

import { version } from '../version.ts'
import { escapeHtml } from './markup.ts'

const contentSecurityPolicy =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"

/** Registers `GET /`: a small page that names the host, its tenant and where to go next; and robots.txt. */
export function registerHome(app: FastifyInstance, deps: { directory: HostDirectory }): void {
  app.get('/', async (request, reply) => {
    const host = must(await deps.directory.findHost(request.pdsHost.hostname))
    const tenant = must(await deps.directory.findTenant(host.defaultTenantId))
    const domains = deps.directory.listHandleDomains(host.id).map(({ domain }) => domain)
    return reply
      .type('text/html; charset=utf-8')
      .header('content-security-policy', contentSecurityPolicy)
      .header('x-content-type-options', 'nosniff')
      .send(page({ hostname: host.hostname, tenant: tenant.name, domains, serviceDid: host.serviceDid }))
  })
  app.get('/robots.txt', (_request, reply) => reply.type('text/plain').send('User-agent: *\nAllow: /\n'))
}

function page(view: { hostname: string; tenant: string; domains: string[]; serviceDid: string }): string {
  const handles = view.domains.map((domain) => `<code>you${escapeHtml(domain)}</code>`).join(' or ')
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(view.hostname)}</title>
<style>
  :root { color-scheme: light dark; font: 16px/1.6 system-ui, sans-serif; }
  body { max-width: 38rem; margin: 12vh auto; padding: 0 1.5rem; }
  h1 { font-size: 1.75rem; margin-bottom: 0; }
  code { font-size: .9em; background: color-mix(in srgb, currentColor 10%, transparent); padding: .1em .35em; border-radius: .3em; }
  footer { margin-top: 3rem; opacity: .7; font-size: .875rem; }
</style>
<h1>${escapeHtml(view.tenant)}</h1>
<p>This is <strong>${escapeHtml(view.hostname)}</strong>, a personal data server of the
<a href="https://atproto.com">AT Protocol</a>: the home of accounts that work with Bluesky and hundreds of other apps.</p>
<ul>
  <li>Have an account here? Sign in to any app with your handle${handles === '' ? '' : `, such as ${handles}`}.</li>
  <li>Need one? Choose <em>${escapeHtml(view.hostname)}</em> as the hosting provider in your app.</li>
  <li>Building something? Start with <a href="/xrpc/com.atproto.server.describeServer">describeServer</a>;
  everything that happens here streams from <code>/xrpc/com.atproto.sync.subscribeRepos</code>.</li>
</ul>
<footer>Rookery ${escapeHtml(version)} · <code>${escapeHtml(view.serviceDid)}</code></footer>
</html>
`
}
