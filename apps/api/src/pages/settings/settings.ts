import { confirmEmail, NoEmailAddressError } from '@rookery/accounts'
import { parseHandle } from '@rookery/syntax'
import type { HostDirectory } from '@rookery/tenants'
import type { FastifyInstance } from 'fastify'

import { mailToken } from '../../accounts/account-mail.ts'
import { type ChangeEmailDeps, changeAndConfirmEmail } from '../../accounts/change-email.ts'
import { type ChangePasswordDeps, changePassword } from '../../accounts/change-password.ts'
import { chooseHandle } from '../../accounts/choose-handle.ts'
import type { GiveHandleDeps } from '../../accounts/give-handle.ts'
import type { HandleDeps } from '../../accounts/handles.ts'
import { clientKey } from '../../limits/client-key.ts'
import {
  accountMailCharges,
  handleCharges,
  mailedCodeCharges,
  signInCharges,
} from '../../limits/method-charges.ts'
import { PageRefusal } from '../alert.ts'
import { sendPage } from '../layout.ts'
import { ownPaths } from '../nav.ts'
import { type Action, type ActionCall, type OwnPageDeps, registerOwnPage } from '../own-page.ts'
import { type SettingsTexts, settingsTexts } from '../texts/settings.ts'
import { fieldOf } from '../visit.ts'
import { passwordChangedView, settingsView } from './settings-views.ts'

export type SettingsPageDeps = OwnPageDeps &
  ChangeEmailDeps &
  ChangePasswordDeps &
  HandleDeps &
  GiveHandleDeps & { directory: HostDirectory }

const path = ownPaths.settings

/** Registers the page where owners change address, password and handle. */
export function registerSettings(app: FastifyInstance, deps: SettingsPageDeps): void {
  registerOwnPage(app, deps, {
    path,
    texts: settingsTexts,
    content: ({ request, who }) => {
      const domains = deps.directory
        .listHandleDomains(request.pdsHost.id)
        .filter(({ tenantId }) => tenantId === who.account.tenant_id)
        .map(({ domain }) => domain)
      return Promise.resolve({ body: settingsView(who, { domains }) })
    },
    actions: {
      ...emailActions(deps),
      password: {
        charges: ({ request, who }) => signInCharges(clientKey(request.ip), who.account.did),
        run: async ({ reply, who, form }) => {
          const password = fieldOf(form, 'password')
          if (form['repeat'] !== password) throw new PageRefusal(who.texts.notTheSame)
          const locale = who.look.locale
          await changePassword(deps, who.account, { current: fieldOf(form, 'current'), password, locale })
          const { look, texts } = who
          return sendPage(reply, { look, title: texts.passwordChanged, body: passwordChangedView(texts) })
        },
      },
      handle: {
        charges: ({ who }) => handleCharges(who.account.did),
        run: async ({ request, who, form }) => {
          const handle = parseHandle(fieldOf(form, 'handle').trim().replace(/^@/, ''))
          await chooseHandle(deps, request.pdsHost, who.account, handle)
        },
        done: (texts) => texts.handleChanged,
      },
    },
  })
}

function emailActions(deps: SettingsPageDeps): Record<string, Action<SettingsTexts>> {
  const codes = ({ request, who }: ActionCall<SettingsTexts>) =>
    mailedCodeCharges(clientKey(request.ip), who.account.did)
  return {
    'confirm-code': {
      charges: ({ who }) => accountMailCharges('confirm', who.account.did),
      run: ({ who }) => mailToken(deps, who.account, 'confirm-email', who.look.locale),
      done: (texts) => texts.codeSent,
    },
    confirm: {
      charges: codes,
      run: async ({ who, form }) => {
        const { id, email } = who.account
        if (email === null) throw new NoEmailAddressError()
        await confirmEmail(deps, { id, email }, fieldOf(form, 'confirmation').trim())
      },
      done: (texts) => texts.isConfirmed,
    },
    'email-code': {
      charges: ({ who }) => accountMailCharges('update', who.account.did),
      run: ({ who }) => mailToken(deps, who.account, 'update-email', who.look.locale),
      done: (texts) => texts.codeSent,
    },
    email: {
      charges: codes,
      run: async ({ who, form }) => {
        const token = form['token']?.trim()
        const change = { email: fieldOf(form, 'email').trim(), token, locale: who.look.locale }
        await changeAndConfirmEmail(deps, who.account, change)
      },
      done: (texts) => texts.emailChanged,
    },
  }
}
