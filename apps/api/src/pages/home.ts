import { must } from '@rookery/std'
import type { HostDirectory } from '@rookery/tenants'
import type { FastifyInstance } from 'fastify'

import { openDomains } from '../accounts/open-domains.ts'
import { version } from '../version.ts'
import { sendPage } from './layout.ts'
import { lookOf } from './look.ts'
import { type Html, markup } from './markup.ts'
import { migratePaths } from './migrate/migrate-views.ts'
import { type HomeTexts, homeTexts } from './texts/home.ts'

/** Registers `GET /`: a small page that names the host, its tenant and where to go next; and robots.txt. */
export function registerHome(app: FastifyInstance, deps: { directory: HostDirectory }): void {
  app.get('/', async (request, reply) => {
    const { id, hostname, serviceDid } = must(await deps.directory.findHost(request.pdsHost.hostname))
    const look = await lookOf(deps, request, reply)
    const domains = deps.directory.listHandleDomains(id).map(({ domain }) => domain)
    const isOpen = (await openDomains(deps.directory, id)).length > 0
    const body = home(homeTexts[look.locale], { hostname, domains, isOpen, serviceDid })
    return sendPage(reply, { look, title: look.brand, body })
  })
  app.get('/robots.txt', (_request, reply) => reply.type('text/plain').send('User-agent: *\nAllow: /\n'))
}

function home(
  texts: HomeTexts,
  view: { hostname: string; domains: string[]; isOpen: boolean; serviceDid: string },
): Html {
  const { hostname, domains, isOpen, serviceDid } = view
  const name = markup`<strong>${hostname}</strong>`
  const handles = domains.map((domain) => markup` <code>you${domain}</code>`)
  const protocol = markup`<a href="https://atproto.com">AT Protocol</a>`
  const method = markup`<a href="/xrpc/com.atproto.server.describeServer">describeServer</a>`
  const firehose = markup`<code>/xrpc/com.atproto.sync.subscribeRepos</code>`
  return markup`<p>${texts.about(name, protocol)}</p>
    <ul>
      <li>${texts.signIn}${domains.length > 0 && markup` (${texts.suchAs}${handles})`}</li>
      <li>${texts.join(name)}</li>
      <li>${texts.build(method, firehose)}</li>
    </ul>
    <p><a href="/security">${texts.security}</a></p>
    ${isOpen && markup`<p><a href="${migratePaths.start}">${texts.move}</a></p>`}
    <p class="note">Rookery ${version} · <code>${serviceDid}</code></p>`
}
