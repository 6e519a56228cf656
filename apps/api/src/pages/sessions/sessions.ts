import type { DeviceId, Did, TokenId } from '@atproto/oauth-provider/store'
import { endPasswordSession, listPasswordSessions } from '@rookery/accounts'
import { type Database, inTransaction } from '@rookery/db'
import type { FastifyInstance } from 'fastify'

import { noteSecurityEvent } from '../../accounts/security-event.ts'
import { ownPaths } from '../nav.ts'
import { type OwnPageDeps, askSignIn, registerOwnPage } from '../own-page.ts'
import { sessionsTexts } from '../texts/sessions.ts'
import { type SignedIn, fieldOf } from '../visit.ts'
import { type AppSession, sessionsView } from './sessions-views.ts'

export type SessionsPageDeps = OwnPageDeps & { db: Pick<Database, 'pool'> }

const path = ownPaths.sessions

/** Registers the page of the browsers and apps that an account is signed in with. */
export function registerSessions(app: FastifyInstance, deps: SessionsPageDeps): void {
  const { pool } = deps.db
  const note = ({ account }: SignedIn): Promise<void> =>
    noteSecurityEvent(pool, account, 'account.session.end')
  registerOwnPage(app, deps, {
    path,
    texts: sessionsTexts,
    content: async ({ who }) => ({
      body: sessionsView(who, {
        browsers: await who.provider.accountManager.listAccountDevices(who.account.did as Did),
        apps: await listAppSessions(who),
        withPassword: await listPasswordSessions(pool, who.account.id),
      }),
    }),
    actions: {
      browser: {
        run: async ({ reply, who, form }) => {
          const deviceId = fieldOf(form, 'id')
          await who.provider.accountManager.removeDeviceAccount(deviceId as DeviceId, who.account.did as Did)
          await note(who)
          return deviceId === who.deviceId ? askSignIn(reply, path) : undefined
        },
        done: (texts) => texts.signedOut,
      },
      app: {
        run: async ({ who, form }) => {
          const id = fieldOf(form, 'id')
          // Only a session of the account's own.
          if (!(await listAppSessions(who)).some((session) => session.id === id)) return
          await who.provider.tokenManager.deleteToken(id as TokenId)
          await note(who)
        },
        done: (texts) => texts.ended,
      },
      password: {
        run: async ({ who, form }) => {
          const token = { accountId: who.account.id, id: fieldOf(form, 'id') }
          await inTransaction(pool, (tx) => endPasswordSession(tx, token))
          await note(who)
        },
        done: (texts) => texts.ended,
      },
    },
  })
}

async function listAppSessions({ provider, account }: SignedIn): Promise<AppSession[]> {
  const tokens = await provider.tokenManager.listAccountTokens(account.did as Did)
  return tokens.map(({ id, data: { clientId, createdAt, updatedAt } }) => ({
    id,
    clientId,
    createdAt,
    updatedAt,
  }))
}
