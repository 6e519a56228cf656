import type { FastifyInstance } from 'fastify'

import { mailToken } from '../../accounts/account-mail.ts'
import { type ActivateDeps, activate } from '../../accounts/activate.ts'
import { type DeactivateDeps, deactivate } from '../../accounts/deactivate.ts'
import { type DeleteOwnAccountDeps, deleteOwnAccount } from '../../accounts/delete-own-account.ts'
import { clientKey } from '../../limits/client-key.ts'
import { accountMailCharges, deletionCharges } from '../../limits/method-charges.ts'
import { sendPage } from '../layout.ts'
import { ownPaths } from '../nav.ts'
import { type OwnPageDeps, registerOwnPage } from '../own-page.ts'
import { leaveTexts } from '../texts/leave.ts'
import { fieldOf } from '../visit.ts'
import { deletedView, leaveView } from './leave-views.ts'

export type LeavePageDeps = OwnPageDeps & ActivateDeps & DeactivateDeps & DeleteOwnAccountDeps

/** Registers the page where owners deactivate and delete their accounts. */
export function registerLeave(app: FastifyInstance, deps: LeavePageDeps): void {
  registerOwnPage(app, deps, {
    path: ownPaths.leave,
    texts: leaveTexts,
    content: ({ who }) => Promise.resolve({ body: leaveView(who) }),
    actions: {
      deactivate: {
        run: ({ request, who }) => deactivate(deps, request.pdsHost, who.account, null),
        done: (texts) => texts.deactivated,
      },
      activate: {
        run: ({ request, who }) => activate(deps, request.pdsHost, who.account),
        done: (texts) => texts.activated,
      },
      code: {
        charges: ({ who }) => accountMailCharges('delete', who.account.did),
        run: ({ who }) => mailToken(deps, who.account, 'delete-account', who.look.locale),
        done: (texts) => texts.codeSent,
      },
      delete: {
        charges: ({ request, who }) => deletionCharges(clientKey(request.ip), who.account.did),
        run: async ({ request, reply, who, form }) => {
          const { did } = who.account
          const [password, token] = [fieldOf(form, 'password'), fieldOf(form, 'token').trim()]
          await deleteOwnAccount(deps, request.pdsHost, { did, password, token, locale: who.look.locale })
          const { look, texts } = who
          return sendPage(reply, { look, title: texts.deletedTitle, body: deletedView(texts) })
        },
      },
    },
  })
}
