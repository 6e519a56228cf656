import type { Did } from '@atproto/oauth-provider/store'
import type { PdsHost } from '@rookery/http'
import { Grants, type GrantsDeps } from '@rookery/oauth'
import type { FastifyInstance } from 'fastify'

import { noteSecurityEvent } from '../../accounts/security-event.ts'
import { ownPaths } from '../nav.ts'
import { type OwnPageDeps, registerOwnPage } from '../own-page.ts'
import { appsTexts } from '../texts/apps.ts'
import { type SignedIn, fieldOf } from '../visit.ts'
import { type AuthorizedApp, appsView } from './apps-views.ts'

export type AppsPageDeps = OwnPageDeps & GrantsDeps

/** Registers the page of the apps that an account's owner signed in to. */
export function registerApps(app: FastifyInstance, deps: AppsPageDeps): void {
  registerOwnPage(app, deps, {
    path: ownPaths.apps,
    texts: appsTexts,
    content: async ({ request, who }) => ({
      body: appsView(who, await listApps(deps, request.pdsHost, who)),
    }),
    actions: {
      revoke: {
        run: async ({ request, who, form }) => {
          await new Grants(deps, request.pdsHost).revoke(who.account.id, fieldOf(form, 'client'))
          await noteSecurityEvent(deps.db.pool, who.account, 'account.app.revoke')
        },
        done: (texts) => texts.revoked,
      },
    },
  })
}

/** What apps have now, and what the account remembers to have granted those that have nothing. */
async function listApps(
  deps: GrantsDeps,
  host: PdsHost,
  { provider, account }: SignedIn,
): Promise<AuthorizedApp[]> {
  const tokens = await provider.tokenManager.listAccountTokens(account.did as Did)
  const granted = await new Grants(deps, host).listGrants(account.id)
  const byClient = Map.groupBy(tokens, ({ data }) => data.clientId)
  return [...new Set([...byClient.keys(), ...granted.keys()])].toSorted().map((clientId) => {
    const held = byClient.get(clientId) ?? []
    const scopes = held.flatMap(({ data }) => (data.scope ?? '').split(' ').filter((scope) => scope !== ''))
    const remembered = granted.get(clientId)?.authorizedScopes ?? []
    return { clientId, sessions: held.length, scopes: [...new Set(held.length > 0 ? scopes : remembered)] }
  })
}
